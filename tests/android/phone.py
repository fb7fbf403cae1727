"""A telephone for the tests: what Android's objects do, as far as the app asks them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.android import java as stub
from tests.android.java import Java, JavaException
from tests.android.keys import keystore

SERVICES = {
    "bluetooth": "android.bluetooth.BluetoothManager",
    "location": "android.location.LocationManager",
    "vibrator": "android.os.Vibrator",
    "vibrator_manager": "android.os.VibratorManager",
}


@dataclass
class Phone:
    """The telephone's state, and what was done to it."""

    sdk: int = 34
    granted: set[str] = field(default_factory=set)
    explains: bool = False
    bluetooth: bool = True
    adapter: bool = True
    location: bool = True
    dark: bool = False
    strongbox: bool = False
    hardware: bool = True
    key_fault: str = ""
    signers_in_software: bool = False
    """Its guarded part holds no P-256 keys."""
    no_page: bool = False
    link: str | None = None
    link_flags: int = 0
    answer: bool = True
    folder: str = "/nowhere"
    java: Java = field(init=False)
    shown: list[Any] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    shaken: list[list[int]] = field(default_factory=list)
    window: list[tuple[str, Any]] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    receivers: list[Any] = field(default_factory=list)
    on_new_intent: list[Callable[[Any], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.java = Java(self.sdk)
        self.java.fakes.update(_fakes(self))
        activity = self.java.wrap("org.kivy.android.PythonActivity", _Activity(self))
        self.java.fakes["org.kivy.android.PythonActivity"] = SimpleNamespace(
            OURS=True, PARENTS=("android.app.Activity",), mActivity=activity, getLayout=self._layout
        )

    def _layout(self) -> Any:
        fake = SimpleNamespace(
            setFitsSystemWindows=lambda fits: self.window.append(("between the bars", fits)),
            requestApplyInsets=lambda: self.window.append(("insets", None)),
        )
        return self.wrap("android.view.ViewGroup", fake)

    def wrap(self, name: str, fake: Any) -> Any:
        """One of this telephone's objects."""
        return self.java.wrap(name, fake)

    def intent(self, link: str | None, flags: int = 0) -> Any:
        """An intent as Android hands it over."""
        return self.wrap("android.content.Intent", _Intent(link=link, flags=flags))

    def broadcast(self, action: str) -> None:
        """Android tells everybody who listens for it."""
        for receiver in self.receivers:
            if receiver.running and action in receiver.actions:
                receiver.callback(None, self.intent(None))


class _Intent:
    def __init__(
        self, action: str = "", data: Any = None, *, link: str | None = None, flags: int = 0
    ) -> None:
        self.action, self.data, self.link, self.flags = action, data, link, flags

    def getDataString(self) -> str | None:  # noqa: N802
        return self.link

    def getFlags(self) -> int:  # noqa: N802
        return self.flags

    def setData(self, data: Any) -> None:  # noqa: N802
        self.link = data


class _Activity:
    OURS = True
    PARENTS = ("android.app.Activity",)

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._intent = phone.intent(phone.link, phone.link_flags)

    def getSystemService(self, name: str) -> Any:  # noqa: N802
        services = {
            "bluetooth": SimpleNamespace(getAdapter=self._adapter),
            "location": SimpleNamespace(isLocationEnabled=lambda: self._phone.location),
            "vibrator": _Vibrator(self._phone),
            "vibrator_manager": SimpleNamespace(
                getDefaultVibrator=lambda: self._phone.wrap("android.os.Vibrator", _Vibrator(self._phone))
            ),
        }
        return self._phone.wrap(SERVICES[name], services[name])

    def _adapter(self) -> Any:
        on = SimpleNamespace(isEnabled=lambda: self._phone.bluetooth)
        return self._phone.wrap("android.bluetooth.BluetoothAdapter", on) if self._phone.adapter else None

    def checkSelfPermission(self, name: str) -> int:  # noqa: N802
        return 0 if name in self._phone.granted else -1

    def shouldShowRequestPermissionRationale(self, _name: str) -> bool:  # noqa: N802
        return self._phone.explains

    def startActivity(self, intent: Any) -> None:  # noqa: N802
        if self._phone.no_page:
            raise JavaException(
                "android.content.ActivityNotFoundException", "No Activity found to handle tel:"
            )
        self._phone.shown.append(intent.fake)

    def getWindow(self) -> Any:  # noqa: N802
        fake = SimpleNamespace(
            addFlags=lambda flags: self._phone.window.append(("flags", flags)),
            setHideOverlayWindows=lambda hide: self._phone.window.append(("overlays hidden", hide)),
        )
        return self._phone.wrap("android.view.Window", fake)

    def setRecentsScreenshotEnabled(self, enabled: bool) -> None:  # noqa: N802
        self._phone.window.append(("recents", enabled))

    def getIntent(self) -> Any:  # noqa: N802
        return self._intent

    def getNoBackupFilesDir(self) -> Any:  # noqa: N802
        folder = SimpleNamespace(getAbsolutePath=lambda: self._phone.folder)
        return self._phone.wrap("java.io.File", folder)

    def getPackageName(self) -> str:  # noqa: N802
        return "se.nyckelfri.app"

    def getPackageManager(self) -> Any:  # noqa: N802
        has = {"android.hardware.strongbox_keystore": self._phone.strongbox}
        fake = SimpleNamespace(hasSystemFeature=lambda name: has.get(name, False))
        return self._phone.wrap("android.content.pm.PackageManager", fake)

    def getContentResolver(self) -> Any:  # noqa: N802
        return self._phone.wrap("android.content.ContentResolver", SimpleNamespace())

    def getResources(self) -> Any:  # noqa: N802
        configuration = SimpleNamespace(uiMode=0x21 if self._phone.dark else 0x11)
        wrapped = self._phone.wrap("android.content.res.Configuration", configuration)
        return self._phone.wrap(
            "android.content.res.Resources", SimpleNamespace(getConfiguration=lambda: wrapped)
        )

    def getApplicationContext(self) -> Any:  # noqa: N802
        return self._phone.wrap("android.content.Context", SimpleNamespace())


class _Vibrator:
    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    def hasVibrator(self) -> bool:  # noqa: N802
        return True

    def vibrate(self, effect: Any) -> None:
        self._phone.shaken.append(effect.fake)


class _Thread:
    """`java.lang.Thread`: the work is called by Java, so everything under it knows the app's classes."""

    def __init__(self, _group: Any, work: Any, name: str) -> None:
        self.name, self._work = name, work
        self._java = stub.current()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        self._java.begins()
        self._work.run()

    def setDaemon(self, daemon: bool) -> None:  # noqa: N802
        self._thread.daemon = daemon

    def start(self) -> None:
        self._thread.start()

    def isAlive(self) -> bool:  # noqa: N802
        return self._thread.is_alive()

    def join(self, milliseconds: int) -> None:
        self._thread.join(milliseconds / 1000)


def _fakes(phone: Phone) -> dict[str, Any]:
    effect = SimpleNamespace(
        createWaveform=lambda timings, _repeat: phone.wrap("android.os.VibrationEffect", timings)
    )
    uri = SimpleNamespace(fromParts=lambda *parts: phone.wrap("android.net.Uri", parts))
    version = SimpleNamespace(SDK_INT=phone.sdk, RELEASE="14")
    secure = SimpleNamespace(getInt=lambda _resolver, _name, _otherwise: 3 if phone.location else 0)
    return {
        "android.content.Intent": _Intent,
        "android.net.Uri": uri,
        "android.os.Build": SimpleNamespace(MANUFACTURER="Exempel", MODEL="E1"),
        "android.os.Build$VERSION": version,
        "android.os.VibrationEffect": effect,
        "android.provider.Settings$Secure": secure,
        "java.lang.Thread": _Thread,
        **keystore(phone),
    }


# -- the modules that python-for-android puts beside the app -----------------------------------------------


class BroadcastReceiver:
    """As `android.broadcast` of python-for-android."""

    def __init__(self, callback: Callable[[Any, Any], None], actions: list[str]) -> None:
        if not stub.current().knows_the_app():
            raise JavaException("java.lang.ClassNotFoundException", "GenericBroadcastReceiver")
        self.callback, self.actions, self.running = callback, actions, False

    def start(self) -> None:
        self.running = True
        _phones[-1].receivers.append(self)

    def stop(self) -> None:
        self.running = False


def request_permissions(names: list[str], callback: Callable[[list[str], list[bool]], None]) -> None:
    """As `android.permissions`: Android asks, the person answers."""
    phone = _phones[-1]
    phone.asked.append(names)
    if phone.answer:
        phone.granted.update(names)
    callback(names, [phone.answer] * len(names))


def _bind(*, on_new_intent: Callable[[Any], None]) -> None:
    _phones[-1].on_new_intent.append(on_new_intent)


_phones: list[Phone] = []


def _modules() -> dict[str, ModuleType]:
    """`jnius` and `android`, as far as they are used."""
    contents: dict[str, dict[str, Any]] = {
        "jnius": {
            "JavaException": JavaException,
            "PythonJavaClass": stub.PythonJavaClass,
            "autoclass": lambda name: stub.current().find(name),
            "cast": lambda name, thing: stub.current().cast(name, thing),
            "java_method": stub.java_method,
        },
        "android": {},
        "android.activity": {"bind": _bind},
        "android.broadcast": {"BroadcastReceiver": BroadcastReceiver},
        "android.permissions": {
            "request_permissions": request_permissions,
            "Permission": SimpleNamespace(ACCESS_FINE_LOCATION="fine", ACCESS_COARSE_LOCATION="coarse"),
        },
        "android.runnable": {"run_on_ui_thread": lambda work: work},
    }
    made = {}
    for name, content in contents.items():
        made[name] = ModuleType(name)
        made[name].__dict__.update(content)
    made["android"].__dict__["activity"] = made["android.activity"]
    return made


@contextmanager
def held_in_hand(phone: Phone) -> Iterator[Phone]:
    """Modules that are imported within meet this telephone; afterwards all of them are forgotten."""
    stub.enter(phone.java)
    _phones[:] = [phone]
    before = set(sys.modules)
    sys.modules.update(_modules())
    try:
        yield phone
    finally:
        for name in set(sys.modules) - before:
            if name.split(".")[0] in {"jnius", "android"} or "android" in name.split("."):
                del sys.modules[name]
        for name in [
            name for name in sys.modules if name.startswith(("mobile.android", "bleak.backends.p4"))
        ]:
            del sys.modules[name]
