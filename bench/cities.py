"""The generated pilot and city that pages are measured on: made once, kept under var/bench.

Each lies in a folder of its own with its keys. It is made anew when the generator, a migration or its size
changes. Its "now" is fixed, in the middle of a working morning, and the measurement travels there: a city
kept until the next day would otherwise be out of date.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

NOW = "2026-11-23T10:12:00+01:00"
SEED = 1
FOLDER = Path("var/bench")
CLIENTS = 16_000
"""NYCKELFRI_BENCH_CLIENTS measures a smaller city."""

_SOURCES = ("server/city/*.py", "server/*/migrations/*.py", "bench/cities.py")


def sizes() -> dict[str, list[str]]:
    """Return what is asked of the generator for each municipality."""
    clients = os.environ.get("NYCKELFRI_BENCH_CLIENTS", str(CLIENTS))
    return {"pilot": ["--pilot"], "city": ["--clients", clients]}


def ready(name: str) -> Path:
    """Return the folder of a municipality, making it first where that is needed (a city takes minutes)."""
    arguments = sizes()[name]
    folder = FOLDER / f"{name}-{_version(arguments)}"
    if not (folder / "sign-ins.json").exists():
        for old in FOLDER.glob(f"{name}-*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True)
        _manage(folder, "migrate", "--verbosity", "0")
        told = ["--sign-ins", str(folder / "unfinished.json")]
        _manage(folder, "generate_city", *arguments, "--seed", str(SEED), "--at", NOW, *told)
        _python(folder, "-m", "bench.cities")
        (folder / "unfinished.json").rename(folder / "sign-ins.json")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a server on that municipality."""
    return os.environ | {
        "NYCKELFRI_VAR": str(folder.resolve()),
        "DJANGO_SETTINGS_MODULE": "server.config.settings",
        "SECOND_FACTOR_REQUIRED": "0",
        "DATABASE_URL": "",
        "LOG_LEVEL": "ERROR",
    }


def _manage(folder: Path, *arguments: str) -> None:
    _python(folder, "manage.py", *arguments)


def _python(folder: Path, *arguments: str) -> None:
    subprocess.run(  # noqa: S603
        [sys.executable, *arguments], env=environment(folder), check=True, stdout=sys.stderr
    )


def _version(arguments: list[str]) -> str:
    digest = hashlib.sha256(" ".join(arguments).encode())
    for pattern in _SOURCES:
        for path in sorted(Path().glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def issue() -> None:
    """Issue for everybody at work: a city without keys is none, and all of the next day's take too long."""
    import django  # noqa: PLC0415 - set up only where a city is made

    django.setup()
    from django.utils.dateparse import parse_datetime  # noqa: PLC0415
    from django_scopes import scope  # noqa: PLC0415

    from server.access.domain.issue import issue_for_duties  # noqa: PLC0415
    from server.access.queries import current_shifts  # noqa: PLC0415
    from server.config import statistics  # noqa: PLC0415
    from server.tenancy.models import Municipality  # noqa: PLC0415

    at = parse_datetime(NOW)
    assert at is not None
    municipality = Municipality.objects.get()
    with scope(municipality=municipality):
        at_work = list(current_shifts(at=at, until=at + timedelta(minutes=1)).order_by("team", "pk"))
        issued = issue_for_duties(municipality=municipality, duties=at_work, at=at)
    statistics.refresh()
    print(f"tokens: {issued.signed}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    issue()
