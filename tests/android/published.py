"""Android's published API as data: which classes, methods and constants there are, and since which version.

`published.json` was made from the TypeScript declarations of the npm package @nativescript/types-android
9.1.1 (Apache-2.0), which is generated from Android's own libraries of API 21 to 37, with

    python -m tests.android.published PATH/TO/lib/android/android-platform-21-37-merged.d.ts

for the classes that `mobile.android` and bleak's Android backend use and those they inherit from, and of them
the members whose names occur there.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "published.json"
WANTED = (
    "android.app.Activity",
    "android.bluetooth.BluetoothAdapter",
    "android.bluetooth.BluetoothDevice",
    "android.bluetooth.BluetoothGatt",
    "android.bluetooth.BluetoothGattCharacteristic",
    "android.bluetooth.BluetoothGattDescriptor",
    "android.bluetooth.BluetoothGattService",
    "android.bluetooth.BluetoothManager",
    "android.bluetooth.BluetoothProfile",
    "android.bluetooth.le.BluetoothLeScanner",
    "android.bluetooth.le.ScanCallback",
    "android.bluetooth.le.ScanFilter",
    "android.bluetooth.le.ScanFilter$Builder",
    "android.bluetooth.le.ScanRecord",
    "android.bluetooth.le.ScanResult",
    "android.bluetooth.le.ScanSettings",
    "android.bluetooth.le.ScanSettings$Builder",
    "android.content.Context",
    "android.content.Intent",
    "android.content.pm.PackageManager",
    "android.content.res.Configuration",
    "android.content.res.Resources",
    "android.location.LocationManager",
    "android.net.Uri",
    "android.os.Build",
    "android.os.Build$VERSION",
    "android.os.ParcelUuid",
    "android.os.VibrationEffect",
    "android.os.Vibrator",
    "android.os.VibratorManager",
    "android.provider.Settings",
    "android.provider.Settings$Secure",
    "android.security.keystore.KeyGenParameterSpec",
    "android.security.keystore.KeyGenParameterSpec$Builder",
    "android.security.keystore.KeyInfo",
    "android.security.keystore.KeyProperties",
    "android.view.View",
    "android.view.ViewGroup",
    "android.view.Window",
    "android.view.WindowManager$LayoutParams",
    "java.io.File",
    "java.lang.Thread",
    "java.security.KeyFactory",
    "java.security.KeyPair",
    "java.security.KeyPairGenerator",
    "java.security.KeyStore",
    "java.security.PrivateKey",
    "java.security.PublicKey",
    "java.security.Signature",
    "java.security.spec.ECGenParameterSpec",
    "java.util.ArrayList",
    "java.util.UUID",
    "javax.crypto.KeyGenerator",
    "javax.crypto.Mac",
    "javax.crypto.SecretKey",
    "javax.crypto.SecretKeyFactory",
)

_MODULE = re.compile(r"(?:declare|export) module ([\w.]+) \{$")
_TYPE = re.compile(
    r"export (?:abstract )?(?:class|interface) (\w+)(?:<.*?>)?"
    r"(?: extends ([^{]*?))?(?: implements ([^{]*?))? \{$"
)
_MEMBER = re.compile(r"public (static )?(\w+)(?:<.*?>)?\((.*)\)(?:: (.*))?;$")
_FIELD = re.compile(r"public (static )?(\w+): (.*);$")
_SINCE = re.compile(r"@since (\d+)")


@dataclass(frozen=True)
class Method:
    """One overload: the kinds of its arguments, in TypeScript's words, and since when it is there."""

    takes: tuple[str, ...]
    gives: str
    static: bool
    since: int


@dataclass
class JavaType:
    """One class or interface. `fields` are (static, kind, since) by name."""

    name: str
    parents: tuple[str, ...] = ()
    since: int = 0
    methods: dict[str, list[Method]] = field(default_factory=dict)
    fields: dict[str, tuple[bool, str, int]] = field(default_factory=dict)


def load() -> dict[str, JavaType]:
    """Every class that is published here, by its Java name."""
    found = {}
    for name, raw in json.loads(DATA.read_text(encoding="utf-8")).items():
        methods = {
            method: [Method(tuple(takes), gives, static, since) for takes, gives, static, since in overloads]
            for method, overloads in raw["methods"].items()
        }
        fields = {name: (static, kind, since) for name, (static, kind, since) in raw["fields"].items()}
        found[name] = JavaType(name, tuple(raw["parents"]), raw["since"], methods, fields)
    return found


def read(declarations: Path) -> dict[str, JavaType]:
    """Read the whole declaration file."""
    found: dict[str, JavaType] = {}
    path: list[tuple[str, str]] = []
    since = 0
    for line in declarations.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if match := _SINCE.search(text):
            since = int(match[1])
        if text.endswith("{"):
            path.append(_open(text, path, found, since))
        elif text.startswith("}"):
            path.pop()
        elif path and path[-1][0] == "type":
            _member(text, found[path[-1][1]], since)
        if not text.startswith(("/**", "*")):
            since = 0
    return found


def _open(text: str, path: list[tuple[str, str]], found: dict[str, JavaType], since: int) -> tuple[str, str]:
    outer = path[-1][1] if path else ""
    if match := _MODULE.match(text):
        joint = "$" if outer in found else "."
        return "module", f"{outer}{joint}{match[1]}" if outer else match[1]
    match = _TYPE.match(text)
    if match is None:
        return "other", outer
    name = f"{outer}{'$' if outer in found else '.'}{match[1]}"
    parents = [part for group in (match[2], match[3]) if group for part in _split(group)]
    found[name] = JavaType(name, tuple(re.sub(r"<.*", "", parent) for parent in parents), since)
    return "type", name


def _member(text: str, into: JavaType, since: int) -> None:
    if match := _MEMBER.match(text):
        takes = [part.split(":", 1)[1].strip() for part in _split(match[3]) if ":" in part]
        method = Method(tuple(takes), match[4] or into.name, bool(match[1]), since)
        into.methods.setdefault(match[2], []).append(method)
    elif match := _FIELD.match(text):
        into.fields[match[2]] = (bool(match[1]), match[3], since)


def _split(text: str) -> list[str]:
    parts, depth, last = [], 0, 0
    for place, letter in enumerate(text):
        depth += letter in "<(["
        depth -= letter in ">)]"
        if letter == "," and depth == 0:
            parts.append(text[last:place])
            last = place + 1
    return [part.strip() for part in [*parts, text[last:]] if part.strip()]


def _java(name: str, known: dict[str, JavaType]) -> str:
    """`a.b.C.D` of TypeScript is `a.b.C$D` of Java."""
    while name not in known and "." in name:
        head, _, tail = name.rpartition(".")
        name = f"{head}${tail}" if head in known or "$" in tail else name
        if name not in known:
            break
    return name


def _spoken() -> set[str]:
    """Every word in the code that calls Java."""
    import bleak.backends

    folders = (Path("mobile/android"), Path(bleak.backends.__file__).parent / "p4android")
    code = " ".join(file.read_text(encoding="utf-8") for folder in folders for file in folder.glob("*.py"))
    return {"constructor", *re.findall(r"\w+", code)}


def make(declarations: Path) -> dict[str, Any]:
    """What `published.json` holds."""
    everything, spoken = read(declarations), _spoken()
    wanted, chosen = list(WANTED), {}
    while wanted:
        name = wanted.pop()
        if name in chosen or name not in everything:
            continue
        found = everything[name]
        parents = [_java(parent, everything) for parent in found.parents]
        wanted += parents
        chosen[name] = {
            "since": found.since,
            "parents": parents,
            "methods": {
                method: [[list(one.takes), one.gives, one.static, one.since] for one in overloads]
                for method, overloads in found.methods.items()
                if method in spoken
            },
            "fields": {
                field: list(value) for field, value in found.fields.items() if field in spoken - {"class"}
            },
        }
    return dict(sorted(chosen.items()))


if __name__ == "__main__":
    DATA.write_text(json.dumps(make(Path(sys.argv[1])), indent=1, sort_keys=True) + "\n", encoding="utf-8")
