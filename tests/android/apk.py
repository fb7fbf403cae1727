"""What buildozer and python-for-android would do with buildozer.spec, as far as it goes without an SDK.

Both are asked themselves: buildozer reads the spec, gathers the files and makes python-for-android's command
line, and that is read by python-for-android's own parser and put into its own template of the manifest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pythonforandroid
from buildozer import Buildozer
from buildozer.targets.android import TargetAndroid
from jinja2 import Environment, FileSystemLoader

ROOT = Path(__file__).parents[2]
P4A = Path(pythonforandroid.__file__).parent
TEMPLATES = P4A / "bootstraps" / "_sdl_common" / "build" / "templates"

INFO: dict[str, Any] = {"ndk_api": 26, "bootstrap": "sdl2", "archs": ["arm64-v8a"]}
"""What python-for-android writes about a distribution when it has built one."""


class EnoughError(Exception):
    """python-for-android would now be started."""


class Target(TargetAndroid):
    """Everything but the start of python-for-android itself."""

    command: list[str]

    def _p4a(self, cmd: list[str], env: Any = None, **_more: Any) -> None:
        self.command = cmd
        raise EnoughError


@contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _told(**environment: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def buildozer(folder: Path) -> Buildozer:
    """Buildozer with our spec, which keeps all it makes under ``folder``, also what it keeps for later."""
    with _told(BUILDOZER_BUILD_DIR=str(folder), BUILDOZER_LOG_LEVEL="0", HOME=str(folder)):
        return Buildozer(str(ROOT / "buildozer.spec"), "android")


def sources(folder: Path) -> Path:
    """The folder that would go into the APK as the app."""
    with _in(ROOT):
        made = buildozer(folder)
        Path(made.app_dir).mkdir(parents=True, exist_ok=True)
        made._copy_application_sources()
    return Path(made.app_dir)


def command(folder: Path) -> list[str]:
    """The command line that buildozer makes for python-for-android, to pack the app."""
    with _in(ROOT):
        made = buildozer(folder)
        target = Target(made)
        target.build_mode = "debug"
        Path(target._build_dir, "dists", "nyckelfri").mkdir(parents=True)
        try:
            target.build_package()
        except EnoughError:
            return [str(part) for part in target.command]
    raise AssertionError("python-for-android was never called")


def arguments(folder: Path) -> Any:
    """The same command line as python-for-android's packer reads it."""
    words = command(folder)
    packing = folder / "packing"
    packing.mkdir()
    (packing / "dist_info.json").write_text(json.dumps(INFO), encoding="utf-8")
    with _in(packing), _told(P4A_BUILD_IS_RUNNING_UNITTESTS="1"):
        from pythonforandroid.bootstraps.common.build import build

        build.get_dist_info_for = lambda key, error_if_missing=True: INFO[key]
        parser = build.create_argument_parser()
        known, _ = parser.parse_known_args(words[words.index("--name") :])
        known.permissions = build.parse_permissions(known.permissions)
        known.manifest_orientation = build.get_manifest_orientation(known.orientation, None)
        return known


def manifest(folder: Path) -> str:
    """AndroidManifest.xml of the debug build."""
    args = arguments(folder)
    args.intent_filters = Path(args.intent_filters).read_text(encoding="utf-8")
    args.numeric_version, args.add_activity = "1", []
    as_it_does = Environment(loader=FileSystemLoader(TEMPLATES))  # noqa: S701
    template = as_it_does.get_template("AndroidManifest.tmpl.xml")
    return template.render(
        args=args,
        service=False,
        service_data=[],
        android_api=35,
        debug=True,
        native_services=[],
        url_scheme="kivy",
    )
