"""The independent reader reads the vectors of firmware as the page says."""

import hashlib

import pytest

from tests.protocol.independent import program
from tests.protocol.independent.bench import REFUSALS, V, each, first_manifest, raw
from tests.protocol.independent.form import read
from tests.protocol.vectors import files


@each("firmware")
def test_header(case: dict[str, str]) -> None:
    assert program.judge(raw(case["bytes"]), first_manifest(), V["firmware"]["running"]) == case["reason"]


def test_fields() -> None:
    said = V["firmware"]
    body = read(read(raw(said["bytes"]))[2])
    names = ("model", "version", "security", "size", "digest", "signed_at")
    assert files.plain([body[number] for number in range(1, 7)]) == [said["fields"][name] for name in names]
    assert body[5] == hashlib.sha256(raw(said["image"])).digest()


def test_release_file() -> None:
    header, image = program.release(raw(V["firmware"]["file"]))
    assert image == b"small image"
    assert program.judge(header, first_manifest(), V["firmware"]["running"]) == "firmware_old"


@each("firmware", "refused_files")
def test_release_files_refused(case: dict[str, str]) -> None:
    with pytest.raises(REFUSALS):
        program.release(raw(case["bytes"]))
