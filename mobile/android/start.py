"""Puts the app together on Android. Everything that Java must make is made here, on the main thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    """What `main.py` calls: run the app until Android ends it."""
    from mobile.android import java  # noqa: PLC0415  (Java is there only once python-for-android has started)

    java.load()
    data_dir = Path(str(java.activity().getNoBackupFilesDir().getAbsolutePath())) / "nyckelfri"
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Kivy reads these when it is imported. Nothing of a shift may stay readable, so there is no log file.
    os.environ.setdefault("KIVY_HOME", str(data_dir / "kivy"))
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    os.environ.setdefault("KIVY_NO_FILELOG", "1")
    _run(data_dir)


def _run(data_dir: Path) -> None:
    from kivy.clock import Clock  # noqa: PLC0415

    from mobile.android import device, keystore, links, scanning, screen  # noqa: PLC0415
    from mobile.android.adapter import PhoneAdapter  # noqa: PLC0415
    from mobile.android.thread import JavaThread  # noqa: PLC0415
    from mobile.engine.engine import PhoneEngine  # noqa: PLC0415
    from mobile.engine.setup import Setup  # noqa: PLC0415
    from mobile.engine.thread import EngineThread  # noqa: PLC0415
    from mobile.run import run_engine  # noqa: PLC0415

    screen.hide()
    screen.stay_clear_of_the_bars()
    adapter = PhoneAdapter()
    engine = PhoneEngine(
        Setup(
            data_dir,
            scanner_backend=scanning.PhoneScanner,
            client_backend=scanning.PhoneClient,
            adapter=adapter,
            hardware=keystore.hardware_keys(),
            phone_model=device.model(),
        )
    )

    def on_link(arrived: Callable[[str], None]) -> None:
        links.follow(lambda link: Clock.schedule_once(lambda _: arrived(link)))

    run_engine(
        engine,
        EngineThread(JavaThread),
        data_dir,
        link=links.first(),
        on_link=on_link,
        device=device.Phone(adapter).device(),
    )
    adapter.close()
