"""buildozer.spec, read by buildozer and python-for-android themselves, and what they would make of it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import buildozer as buildozer_package
import pytest
from buildozer.specparser import SpecParser
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from mobile.engine import deeplink
from mobile.engine.http import APP_VERSION
from tests.android import apk

ANDROID = "{http://schemas.android.com/apk/res/android}"
NO_TOKEN_OF_A_TEMPLATE = {"version.regex", "version.filename"}
PARTS_OF_THE_PROJECT = {"main", "mobile", "protocol"}
RECIPES = {
    "python3": "3.14.2",
    "openssl": "3.3.1",
    "kivy": "2.3.1",
    "pyjnius": "1.7.0",
    "cryptography": "46.0.3",
    "cffi": "2.0.0",
    "pycparser": "2.14",
    "httpx": "0.28.1",
}
"""What python-for-android 2026.5.9 builds, as docs/android.md audits it."""
TARGET = {
    "sys_platform": "android",
    "platform_system": "Android",
    "os_name": "posix",
    "python_version": "3.14",
    "python_full_version": "3.14.2",
    "platform_machine": "aarch64",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}
MODULE_OF = {
    "kivy": "kivy",
    "cbor2": "cbor2",
    "noiseprotocol": "noise",
    "pyjnius": "jnius",
    "android": "android",
}


def _spec() -> SpecParser:
    spec = SpecParser()
    spec.read(apk.ROOT / "buildozer.spec", "utf-8")
    return spec


def _requirements() -> dict[str, str]:
    """Versions by name; '' where the recipe decides."""
    listed = [Requirement(text) for text in _spec().getlist("app", "requirements")]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in listed}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> ET.Element:
    return ET.fromstring(apk.manifest(tmp_path_factory.mktemp("apk")))  # noqa: S314  (our own)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return apk.sources(tmp_path_factory.mktemp("apk"))


# -- the spec -----------------------------------------------------------------------------------------------


def test_every_token_is_one_that_buildozer_knows() -> None:
    template = Path(buildozer_package.__file__).with_name("default.spec").read_text(encoding="utf-8")
    known = set(re.findall(r"^\s*#?\s*([a-z][\w.-]+)\s*=", template, re.MULTILINE))
    for section in ("app", "buildozer"):
        assert set(_spec().options(section)) - NO_TOKEN_OF_A_TEMPLATE <= known


def test_the_app_has_one_version() -> None:
    spec = _spec()
    source = Path(spec.get("app", "version.filename").replace("./", f"{apk.ROOT}/", 1)).read_text(
        encoding="utf-8"
    )
    found = re.search(spec.get("app", "version.regex"), source)
    assert found is not None
    assert found[1] == APP_VERSION


# -- the manifest -------------------------------------------------------------------------------------------


def test_the_permissions_are_these_and_no_others(manifest: ET.Element) -> None:
    asked = {
        one.attrib[f"{ANDROID}name"].removeprefix("android.permission."): (
            one.attrib.get(f"{ANDROID}maxSdkVersion"),
            one.attrib.get(f"{ANDROID}usesPermissionFlags"),
        )
        for one in manifest.iter("uses-permission")
    }
    assert asked == {
        "INTERNET": (None, None),
        "VIBRATE": (None, None),
        "HIDE_OVERLAY_WINDOWS": (None, None),
        "BLUETOOTH_SCAN": (None, "neverForLocation"),
        "BLUETOOTH_CONNECT": (None, None),
        "BLUETOOTH": ("30", None),
        "BLUETOOTH_ADMIN": ("30", None),
        "ACCESS_FINE_LOCATION": ("30", None),
    }


def test_what_is_asked_for_at_run_time_stands_in_the_manifest(manifest: ET.Element) -> None:
    code = (apk.ROOT / "mobile/android/permissions.py").read_text(encoding="utf-8")
    named = set(re.findall(r"android\.permission\.[A-Z_]+", code))
    assert named <= {one.attrib[f"{ANDROID}name"] for one in manifest.iter("uses-permission")}


def test_it_can_be_installed_where_there_is_bluetooth_with_or_without_gps(manifest: ET.Element) -> None:
    features = {
        one.attrib.get(f"{ANDROID}name"): one.attrib.get(f"{ANDROID}required")
        for one in manifest.iter("uses-feature")
    }
    assert features.pop(None) is None
    assert features == {
        "android.hardware.bluetooth_le": "true",
        "android.hardware.location": "false",
        "android.hardware.location.gps": "false",
    }
    sdk = manifest.find("uses-sdk")
    assert sdk is not None
    assert (sdk.attrib[f"{ANDROID}minSdkVersion"], sdk.attrib[f"{ANDROID}targetSdkVersion"]) == ("26", "35")


def test_no_copy_of_the_vault_leaves_the_phone(manifest: ET.Element) -> None:
    application = manifest.find("application")
    assert application is not None
    assert application.attrib[f"{ANDROID}allowBackup"] == "false"
    assert application.attrib[f"{ANDROID}dataExtractionRules"] == "@xml/data_extraction_rules"
    assert application.attrib[f"{ANDROID}usesCleartextTraffic"] == "false"
    rules = ET.parse(apk.ROOT / "mobile/android/package/data_extraction_rules.xml").getroot()  # noqa: S314
    for way in ("cloud-backup", "device-transfer"):
        excluded = {(one.attrib["domain"], one.attrib["path"]) for one in rules.findall(f"{way}/exclude")}
        assert excluded == {(name, ".") for name in ("root", "file", "database", "sharedpref", "external")}
        assert not rules.findall(f"{way}/include")


def test_the_link_of_an_enrolment_opens_the_one_window(manifest: ET.Element) -> None:
    (activity,) = manifest.iter("activity")
    assert activity.attrib[f"{ANDROID}launchMode"] == "singleTask"
    assert activity.attrib[f"{ANDROID}screenOrientation"] == "portrait"
    main, link = activity.findall("intent-filter")
    names = [
        [one.attrib[f"{ANDROID}name"].rsplit(".", 1)[1] for one in part if one.tag != "data"]
        for part in (main, link)
    ]
    assert names == [["MAIN", "LAUNCHER"], ["VIEW", "DEFAULT", "BROWSABLE"]]
    (data,) = link.iter("data")
    assert f"{data.attrib[f'{ANDROID}scheme']}://{data.attrib[f'{ANDROID}host']}?" == deeplink.START
    assert [*manifest.iter("service"), *manifest.iter("receiver"), *manifest.iter("provider")] == []


# -- what is shipped ----------------------------------------------------------------------------------------


def test_the_app_and_the_protocol_are_shipped_and_nothing_else(app: Path) -> None:
    shipped = {path.relative_to(app).as_posix() for path in app.rglob("*") if path.is_file()}
    assert {name.split("/")[0] for name in shipped} == {"main.py", "mobile", "protocol", "LICENSE"}
    expected = {
        path.relative_to(apk.ROOT).as_posix()
        for folder in ("mobile", "protocol")
        for path in (apk.ROOT / folder).rglob("*")
        if path.suffix in {".py", ".kv", ".mo"}
    }
    left_out = expected - shipped
    assert left_out == {
        "mobile/__main__.py",
        "mobile/engine/factory.py",
        "mobile/android/package/hook.py",
        "protocol/seal.py",
    }


def test_what_is_shipped_stands_on_its_own(app: Path) -> None:
    code = (
        "import mobile.engine.engine, mobile.run, mobile.viewmodels.texts as texts;"
        f"assert mobile.__file__.startswith({str(app)!r}), mobile.__file__;"
        "print(texts.Texts('sv').tr('nav.today'), texts.Texts('en').tr('nav.today'))"
    )
    quiet = {"KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-OO", "-c", code],  # as python-for-android compiles it
        cwd=app,
        env={"PYTHONPATH": str(app), "HOME": str(app), **quiet},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["I", "dag", "Today"]


def test_every_import_has_a_package(app: Path) -> None:
    modules = {MODULE_OF.get(name, name.replace("-", "_")) for name in _requirements()}
    allowed = modules | PARTS_OF_THE_PROJECT | sys.stdlib_module_names
    strangers = {
        (path.name, name)
        for path in app.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
        if name not in allowed
    }
    assert strangers == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module.split(".")[0]]
    return []


# -- the packages -------------------------------------------------------------------------------------------


def _wanted() -> list[Requirement]:
    """What pyproject.toml says that the phone needs."""
    project = tomllib.loads((apk.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [
        Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["mobile"]
    ]


def _needed(name: str, into: set[str]) -> set[str]:
    """A package and all that it needs on Android, by what is installed here."""
    name = canonicalize_name(name)
    if name in into:
        return into
    into.add(name)
    for text in metadata.requires(name) or []:
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({**default_environment(), **TARGET, "extra": ""}):
            _needed(wanted.name, into)
    return into


def test_every_package_that_any_package_needs_is_listed() -> None:
    needed: set[str] = set()
    for wanted in _wanted():
        _needed(wanted.name, needed)
    own = {"python3", "android", "pyjnius", "setuptools", "six"}
    assert set(_requirements()) == needed | own


def test_versions_are_those_that_are_tested_here() -> None:
    lock = (apk.ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.M)
    }
    for name, version in _requirements().items():
        if version:
            assert version == pinned[name], name


def test_what_has_no_recipe_is_pure_python() -> None:
    """Compiled here are only those whose pure wheels were looked up (docs/android.md)."""
    compiled = set()
    for name, version in _requirements().items():
        wheel = (metadata.distribution(name).read_text("WHEEL") or "") if version else "Root-Is-Purelib: true"
        if "Root-Is-Purelib: true" not in wheel:
            compiled.add(name)
    assert compiled <= {"cbor2", "charset-normalizer", "websockets"}


def _graph() -> tuple[list[str], list[str], dict[str, str]]:
    """python-for-android's own order of building: recipes, packages for pip, versions of recipes."""
    from pythonforandroid.bootstrap import Bootstrap
    from pythonforandroid.build import Context
    from pythonforandroid.graph import get_recipe_order_and_bootstrap
    from pythonforandroid.recipe import Recipe

    context = Context()
    names = [text.split("==")[0] for text in _spec().getlist("app", "requirements")]
    recipes, modules, bootstrap = get_recipe_order_and_bootstrap(
        context, names, Bootstrap.get_bootstrap("sdl2", context)
    )
    assert bootstrap.name == "sdl2"
    return recipes, modules, {name: str(Recipe.get_recipe(name, context).version) for name in recipes}


def test_python_for_android_knows_a_way_to_build_it() -> None:
    recipes, modules, versions = _graph()
    pinned = {name for name, version in _requirements().items() if version}
    extra = {canonicalize_name(name) for name in modules} - pinned
    assert extra <= {"six", "sniffio", "chardet"}, "pip packages that nobody has audited"
    assert pinned <= {canonicalize_name(name) for name in modules}, "a pinned package has got a recipe"
    assert {name: versions[name] for name in RECIPES} == RECIPES
    assert recipes.index("openssl") < recipes.index("cryptography")


def test_the_recipes_are_new_enough_for_the_vault() -> None:
    wanted = {one.name: one.specifier for one in _wanted()}
    for name, version in RECIPES.items():
        if name in wanted:
            assert Version(version) in wanted[name]
    assert Version(RECIPES["openssl"]) in SpecifierSet(">=3.2"), "Argon2id"


# -- bleak's Java -------------------------------------------------------------------------------------------


def _toolchain(installs: Path) -> SimpleNamespace:
    context = SimpleNamespace(python_installs_dir=str(installs), archs=[SimpleNamespace(arch="arm64-v8a")])
    return SimpleNamespace(
        ctx=context, _dist=SimpleNamespace(name="nyckelfri"), args=SimpleNamespace(unknown_args=["--window"])
    )


def test_the_build_takes_bleaks_java_from_the_bleak_it_has_built_in(tmp_path: Path) -> None:
    import bleak

    from mobile.android.package import hook

    site = tmp_path / "nyckelfri" / "arm64-v8a"
    site.mkdir(parents=True)
    toolchain = _toolchain(tmp_path)
    with pytest.raises(SystemExit, match="Java files"):
        hook.before_apk_build(toolchain)
    (site / "bleak").symlink_to(Path(bleak.__file__).parent, target_is_directory=True)
    hook.before_apk_build(toolchain)
    option, folder = toolchain.args.unknown_args[1:]
    assert option == "--add-source"
    assert sorted(path.name for path in Path(folder).rglob("*.java")) == [
        "PythonBluetoothGattCallback.java",
        "PythonScanCallback.java",
    ]
