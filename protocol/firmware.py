"""Signed lock firmware: what a release says of itself, and what a lock makes of it.

The header is signed by a firmware key of the municipality's manifest and names the image by its digest; the
image itself travels in chunks that prove nothing one by one. Nothing of it runs before the whole of it has
the digest that was signed.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from protocol import cbor, cose, fields
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import KID_LENGTH, SigningKey
from protocol.manifest import Manifest, Role
from protocol.reasons import Reason

MAX_HEADER = 224
MAX_IMAGE = 4 * 1024 * 1024
"""A lock keeps room for two images of this size (bytes)."""
MAX_CHUNK = 4096
MAX_MODEL = 16
MAX_FILE = MAX_IMAGE + MAX_HEADER + 64

_CONTEXT = cose.context("firmware")
_MODEL, _VERSION, _SECURITY, _SIZE, _DIGEST, _SIGNED_AT = 1, 2, 3, 4, 5, 6
_FILE_NAME, _FILE_VERSION = "nyckelfri-firmware", 1


@dataclass(frozen=True)
class Header:
    """What a release is."""

    model: bytes
    """What it runs on, 1 to 16 bytes, such as ``b"linux-python-1"``."""
    version: int
    """From 1; a lock only ever goes up."""
    security: int
    """Never again may a lock run anything with a lower one than the highest it has confirmed."""
    size: int
    digest: bytes
    """SHA-256 of the image."""
    signed_at: int

    def describes(self, image: bytes) -> bool:
        """Say whether this is the image that was signed."""
        return len(image) == self.size and hashlib.sha256(image).digest() == self.digest


@dataclass(frozen=True)
class Running:
    """What a lock runs, and what it has tried."""

    model: bytes
    version: int
    security: int
    """Highest security version that this lock has confirmed."""
    fell_back: int = 0
    """Highest version that was tried and did not come up, 0 = none."""
    digest: bytes = b""
    """Of the running image; empty for what the lock was made with."""


@dataclass(frozen=True)
class FirmwareResult:
    """What became of a firmware offer or chunk: GRANTED, or a reason from 80 on."""

    reason: int
    next: int
    """Where the lock goes on: bytes of the offered image that it has, its size when it has all of it."""


@dataclass(frozen=True)
class FirmwareOffer:
    """Service: the signed header of a release for this lock."""

    header: bytes


@dataclass(frozen=True)
class FirmwareChunk:
    """Service: the image's bytes from ``offset`` on."""

    offset: int
    data: bytes


def describe(image: bytes, *, model: bytes, version: int, security: int, signed_at: int) -> Header:
    """Return the header of an image."""
    digest = hashlib.sha256(image).digest()
    return Header(model, version, security, len(image), digest, signed_at)


def sign(header: Header, key: SigningKey) -> bytes:
    """Return the header signed by a municipality's firmware key."""
    payload = cbor.encode(
        {
            _MODEL: header.model,
            _VERSION: header.version,
            _SECURITY: header.security,
            _SIZE: header.size,
            _DIGEST: header.digest,
            _SIGNED_AT: header.signed_at,
        }
    )
    _parse(payload)  # whatever a lock would refuse must fail here
    return cose.sign1(payload, key, _CONTEXT)


def parse(data: bytes) -> Header:
    """Parse a signed header without verifying it."""
    message = cose.parse1(data, max_size=MAX_HEADER)
    fields.octets(message.kid, KID_LENGTH, "firmware key id")
    return _parse(message.payload)


def verify(data: bytes, manifest: Manifest) -> Header:
    """Parse and verify a header under the manifest's firmware keys."""
    message = cose.parse1(data, max_size=MAX_HEADER)
    header = _parse(message.payload)
    key = manifest.verify_key(Role.FIRMWARE, message.kid)
    if key is None:
        raise SignatureError("firmware is signed by an unknown key")
    message.verify(key, _CONTEXT)
    return header


def judge(header: Header, running: Running) -> Reason:
    """Return GRANTED if a lock may take this release in, else why not; its signature has been verified."""
    if header.model != running.model:
        return Reason.FIRMWARE_WRONG_MODEL
    if header.digest == running.digest:
        return Reason.FIRMWARE_CURRENT
    if header.version <= running.version or header.security < running.security:
        return Reason.FIRMWARE_OLD
    if header.version <= running.fell_back:
        return Reason.FIRMWARE_FELL_BACK
    return Reason.GRANTED


def encode_file(header: bytes, image: bytes) -> bytes:
    """Return the file in which a release is handed about: signed header and image."""
    return cbor.encode([_FILE_NAME, _FILE_VERSION, header, image])


def parse_file(data: bytes) -> tuple[bytes, bytes]:
    """Return (signed header, image) of a release file; the image is the one the header describes.

    The signature is not verified: that takes a manifest.
    """
    name, version, header, image = fields.array(cbor.decode(data, max_size=MAX_FILE), 4, "firmware file")
    if name != _FILE_NAME or version != _FILE_VERSION or isinstance(version, bool):
        raise ProtocolError("not a firmware file of this version")
    signed = fields.blob(header, MAX_HEADER, "firmware header")
    whole = fields.blob(image, MAX_IMAGE, "firmware image")
    if not parse(signed).describes(whole):
        raise ProtocolError("the header describes another image")
    return signed, whole


def parse_result(body: list[Any]) -> FirmwareResult:
    """Parse what follows the number of a firmware result."""
    code, at = fields.array(body, 2, "firmware result")
    return FirmwareResult(fields.uint(code, 255, "reason"), fields.uint(at, MAX_IMAGE, "next"))


def parse_offer(body: list[Any]) -> FirmwareOffer:
    """Parse what follows the number of a firmware offer."""
    (header,) = fields.array(body, 1, "firmware offer")
    return FirmwareOffer(fields.blob(header, MAX_HEADER, "firmware header"))


def parse_chunk(body: list[Any]) -> FirmwareChunk:
    """Parse what follows the number of a firmware chunk."""
    offset, data = fields.array(body, 2, "firmware chunk")
    return FirmwareChunk(
        fields.uint(offset, MAX_IMAGE, "chunk offset"), fields.blob(data, MAX_CHUNK, "chunk")
    )


def _parse(payload: bytes) -> Header:
    keys = {_MODEL, _VERSION, _SECURITY, _SIZE, _DIGEST, _SIGNED_AT}
    body = fields.table(cbor.decode(payload, max_size=MAX_HEADER), keys, (), "firmware header")
    header = Header(
        model=fields.blob(body[_MODEL], MAX_MODEL, "model"),
        version=fields.uint(body[_VERSION], fields.MAX_COUNTER, "firmware version"),
        security=fields.uint(body[_SECURITY], fields.MAX_COUNTER, "security version"),
        size=fields.uint(body[_SIZE], MAX_IMAGE, "image size"),
        digest=fields.octets(body[_DIGEST], 32, "image digest"),
        signed_at=fields.time(body[_SIGNED_AT], "signed at"),
    )
    if header.version < 1 or header.size < 1:
        raise ProtocolError("firmware versions and image sizes start at 1")
    return header
