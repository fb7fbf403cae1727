"""The two COSE forms the protocol uses, Ed25519 only: COSE_Sign1 and COSE_Sign (RFC 9052 sections 4.1, 4.2).

Untagged, protected header exactly {1: -8, 4: kid}, unprotected header empty, payload attached. Every kind of
message is signed under its own context string in external_aad, so that a signature made for one kind never
holds for another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from protocol import cbor, fields
from protocol.errors import ProtocolError
from protocol.keys import SIGNATURE_LENGTH, SigningKey, VerifyKey

EDDSA = -8
"""COSE algorithm EdDSA (RFC 9053 section 2.2); the key id pins the curve to Ed25519."""

MAX_KID_LENGTH = 8
MAX_SIGNATURES = 10
"""A manifest that replaces all of five roots may carry signatures of the old and the new ones."""
_ALG, _KID = 1, 4


@dataclass(frozen=True)
class Sign1:
    """A parsed but not yet verified COSE_Sign1 message."""

    protected: bytes
    kid: bytes
    payload: bytes
    signature: bytes

    def verify(self, key: VerifyKey, external_aad: bytes) -> bytes:
        """Return the payload if the signature holds under ``key``; raise SignatureError if not."""
        key.verify(self.signature, _to_be_signed1(self.protected, external_aad, self.payload))
        return self.payload


def context(name: str, *parts: bytes) -> bytes:
    """Return the external_aad for messages of the kind ``name``: the name, a zero byte, then ``parts``."""
    return b"nyckelfri-" + name.encode("ascii") + b"-1\x00" + b"".join(parts)


@lru_cache(maxsize=256)
def protected_header(kid: bytes) -> bytes:
    """Return the encoded protected header for ``kid``."""
    return cbor.encode({_ALG: EDDSA, _KID: kid})


def sign1(payload: bytes, key: SigningKey, external_aad: bytes) -> bytes:
    """Return the encoded COSE_Sign1 over ``payload``."""
    protected = protected_header(key.kid)
    signature = key.sign(_to_be_signed1(protected, external_aad, payload))
    return cbor.encode([protected, {}, payload, signature])


def parse1(data: bytes, *, max_size: int) -> Sign1:
    """Parse a COSE_Sign1 of at most ``max_size`` bytes without verifying it."""
    protected, unprotected, payload, signature = fields.array(
        cbor.decode(data, max_size=max_size), 4, "COSE_Sign1"
    )
    _expect_empty(unprotected)
    return Sign1(
        protected=protected,
        kid=_kid(protected),
        payload=fields.blob(payload, max_size, "COSE payload"),
        signature=fields.octets(signature, SIGNATURE_LENGTH, "COSE signature"),
    )


@dataclass(frozen=True)
class Sign:
    """A parsed but not yet verified COSE_Sign message with several signatures."""

    payload: bytes
    signatures: tuple[tuple[bytes, bytes, bytes], ...]
    """(protected header, kid, signature) of each signer."""

    def signers(self, keys: Sequence[VerifyKey], external_aad: bytes) -> set[bytes]:
        """Return the key ids of ``keys`` whose signature holds; an invalid one by a known key raises."""
        by_kid = {key.kid: key for key in keys}
        good: set[bytes] = set()
        for protected, kid, signature in self.signatures:
            if kid in by_kid:
                by_kid[kid].verify(signature, _to_be_signed(protected, external_aad, self.payload))
                good.add(kid)
        return good


Signature = tuple[bytes, bytes]
"""(protected header, signature) of one signer of a COSE_Sign."""


def countersign(payload: bytes, key: SigningKey, external_aad: bytes) -> Signature:
    """Return one signer's part of a COSE_Sign over ``payload``, to be put together by ``assemble``."""
    protected = protected_header(key.kid)
    return protected, key.sign(_to_be_signed(protected, external_aad, payload))


def assemble(payload: bytes, signatures: Sequence[Signature]) -> bytes:
    """Return the encoded COSE_Sign of signatures that were made one by one."""
    listed = [[protected, {}, signature] for protected, signature in signatures]
    return cbor.encode([b"", {}, payload, listed])


def sign(payload: bytes, signers: Sequence[SigningKey], external_aad: bytes) -> bytes:
    """Return the encoded COSE_Sign over ``payload`` by every one of ``signers``."""
    ordered = sorted(signers, key=lambda one: one.kid)
    return assemble(payload, [countersign(payload, key, external_aad) for key in ordered])


def parse(data: bytes, *, max_size: int) -> Sign:
    """Parse a COSE_Sign of at most ``max_size`` bytes without verifying it."""
    body_protected, unprotected, payload, signatures = fields.array(
        cbor.decode(data, max_size=max_size), 4, "COSE_Sign"
    )
    if body_protected != b"":
        raise ProtocolError("COSE_Sign body has a protected header")
    _expect_empty(unprotected)
    parsed = tuple(_signature(one) for one in fields.items(signatures, MAX_SIGNATURES, "COSE signatures"))
    if len({kid for _, kid, _ in parsed}) != len(parsed):
        raise ProtocolError("COSE_Sign has two signatures by one key")
    return Sign(fields.blob(payload, max_size, "COSE payload"), parsed)


def _signature(value: object) -> tuple[bytes, bytes, bytes]:
    protected, unprotected, signature = fields.array(value, 3, "COSE_Signature")
    _expect_empty(unprotected)
    return protected, _kid(protected), fields.octets(signature, SIGNATURE_LENGTH, "COSE signature")


def _kid(protected: object) -> bytes:
    encoded = fields.blob(protected, 32, "COSE protected header")
    header = fields.table(cbor.decode(encoded, max_size=32), {_ALG, _KID}, (), "COSE protected header")
    if header[_ALG] != EDDSA:
        raise ProtocolError("COSE algorithm is not EdDSA")
    return fields.blob(header[_KID], MAX_KID_LENGTH, "COSE key id")


def _expect_empty(unprotected: object) -> None:
    if unprotected != {}:
        raise ProtocolError("COSE unprotected header is not empty")


def _to_be_signed1(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """Sig_structure for COSE_Sign1 (RFC 9052 section 4.4)."""
    return cbor.encode(["Signature1", protected, external_aad, payload])


def _to_be_signed(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """Sig_structure for one signer of COSE_Sign, the body's protected header being empty."""
    return cbor.encode(["Signature", b"", protected, external_aad, payload])
