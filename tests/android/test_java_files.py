"""Bleak's Java files and bleak's Python must mean the same: Java finds a method by its exact signature."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import bleak
import pytest

P4ANDROID = Path(bleak.__file__).parent / "backends" / "p4android"
JAVA = P4ANDROID / "java" / "com" / "github" / "hbldh" / "bleak"
LETTERS = {
    "void": "V",
    "int": "I",
    "byte[]": "[B",
    "String": "Ljava/lang/String;",
    "ScanResult": "Landroid/bluetooth/le/ScanResult;",
}
PARENTS = {
    "PythonScanCallback": ("ScanCallback", "scanner.py", "_PythonScanCallback"),
    "PythonBluetoothGattCallback": ("BluetoothGattCallback", "client.py", "_PythonBluetoothGattCallback"),
}


def _java_side(name: str) -> dict[str, str]:
    """Methods of the interface that Java calls, with their signatures."""
    text = (JAVA / f"{name}.java").read_text(encoding="utf-8")
    interface = re.search(r"interface Interface\s*\{(.*?)\}", text, re.DOTALL)
    assert interface is not None
    found = {}
    for gives, method, takes in re.findall(r"public (\S+) (\w+)\((.*?)\);", interface[1]):
        kinds = [part.strip().rsplit(" ", 1)[0] for part in takes.split(",") if part.strip()]
        found[method] = f"({''.join(LETTERS[kind] for kind in kinds)}){LETTERS[gives]}"
    return found


def _python_side(file: str, name: str) -> dict[str, str]:
    """Methods that Python marks as called by Java, with their signatures."""
    tree = ast.parse((P4ANDROID / file).read_text(encoding="utf-8"))
    (found,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    return {
        method.name: ast.literal_eval(mark.args[0])
        for method in found.body
        if isinstance(method, ast.FunctionDef)
        for mark in method.decorator_list
        if isinstance(mark, ast.Call)
    }


@pytest.mark.parametrize("name", sorted(PARENTS))
def test_both_sides_have_the_same_methods(name: str) -> None:
    _, file, python = PARENTS[name]
    assert _java_side(name) == _python_side(file, python) != {}


@pytest.mark.parametrize("name", sorted(PARENTS))
def test_the_java_side_is_what_android_calls_back(name: str) -> None:
    text = (JAVA / f"{name}.java").read_text(encoding="utf-8")
    parent = PARENTS[name][0]
    assert f"class {name} extends {parent}" in text
    assert "package com.github.hbldh.bleak;" in text
    python = (P4ANDROID / PARENTS[name][1]).read_text(encoding="utf-8")
    assert f"com.github.hbldh.bleak.{name}$Interface" in python


def test_what_is_put_right_is_still_as_it_was_read() -> None:
    """`mobile.android.scanning` reaches into names of bleak's own; a new bleak must be read anew."""
    from importlib.metadata import version

    assert version("bleak") == "3.1.0"
    scanner = (P4ANDROID / "scanner.py").read_text(encoding="utf-8")
    client = (P4ANDROID / "client.py").read_text(encoding="utf-8")
    for line in ("__scanner = None", "BleakScannerP4Android.__scanner = self", "request_permissions("):
        assert line in scanner
    for line in ("self.__gatt = None", "self.__callbacks = None", "set(map(defs.UUID.fromString, services))"):
        assert line in client
    assert "self.__callbacks = _PythonBluetoothGattCallback(self, loop)" in client
