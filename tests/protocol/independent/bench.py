"""What the reader's tests share: the vectors, and how a refusal looks."""

from typing import Any

import pytest

from tests.protocol.independent import noise, sealing, trust
from tests.protocol.independent.form import MalformedError
from tests.protocol.vectors import files

V: dict[str, dict[str, Any]] = {one.stem: files.load(one.stem) for one in files.FOLDER.glob("*.json")}
REFUSALS = (MalformedError, trust.InvalidError, sealing.SealError, noise.HandshakeError)


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def each(name: str, part: str = "cases") -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in V[name][part]])


def trusted() -> tuple[list[bytes], int]:
    said = V["manifest"]["trusted"]
    return [raw(key) for key in said["keys"]], said["threshold"]


def first_manifest() -> trust.Manifest:
    return trust.manifest(raw(V["manifest"]["manifest"]), trusted())
