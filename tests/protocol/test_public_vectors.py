"""Public vectors, run through our own functions: RFC 8032, 7748 and 9180, and FIPS 186-3 for suite 2.

They come with the package cryptography-vectors. Noise and COSE have none that a package brings: there other
implementations stand in for them (test_oracles.py, and the independent reader from bare primitives).
"""

import json
import re
from functools import cache
from importlib.resources import files

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from noise.connection import NoiseConnection
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

from protocol import possession, seal
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import SigningKey, VerifyKey, x25519_public

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
BASE_POINT = "09" + "00" * 31


@cache
def text(path: str) -> str:
    return (files("cryptography_vectors") / path).read_text()


def records(part: str) -> list[dict[str, str]]:
    """Blocks of `name = value` lines."""
    blocks = [dict(re.findall(r"^(\w+) = (.*)$", block, re.MULTILINE)) for block in part.split("\n\n")]
    return [block for block in blocks if block]


def section(path: str, heading: str) -> list[dict[str, str]]:
    plain = text(path).replace("\r\n", "\n")
    return records(plain.split(f"[{heading}]\n")[1].split("\n[")[0])


def test_ed25519_signs_and_verifies_as_in_rfc_8032() -> None:
    """The 1024 signatures of the authors of Ed25519, those of RFC 8032 among them."""
    lines = text("asymmetric/Ed25519/sign.input").splitlines()
    for line in lines:
        secret, public, message, signed, _ = line.split(":")
        key = SigningKey.from_seed(b"k1", bytes.fromhex(secret)[:32])
        said, signature = bytes.fromhex(message), bytes.fromhex(signed)[:64]
        assert key.public.hex() == public
        assert key.sign(said) == signature
        VerifyKey(b"k1", key.public).verify(signature, said)
    with pytest.raises(SignatureError):
        key.verify_key.verify(signature, said + b"\0")
    assert len(lines) == 1024


def test_x25519_agrees_as_in_rfc_7748() -> None:
    """What makes a public key, and what the handshake multiplies with."""
    dh = NoiseConnection.from_name(b"Noise_KXpsk1_25519_AESGCM_SHA256").noise_protocol.dh_fn
    found = records(text("asymmetric/X25519/rfc7748.txt"))
    for one in (one for one in found if "INPUT_SCALAR" in one):
        scalar, point = bytes.fromhex(one["INPUT_SCALAR"]), bytes.fromhex(one["INPUT_U"])
        agreed = dh.dh(X25519PrivateKey.from_private_bytes(scalar), dh.klass.from_public_bytes(point).public)
        assert agreed.hex() == one["OUTPUT_U"]
        if one["INPUT_U"] == BASE_POINT:
            assert x25519_public(scalar).hex() == one["OUTPUT_U"]
    assert len(found) >= 3


def test_the_hpke_that_ours_is_held_against_is_that_of_rfc_9180() -> None:
    """The RFC's vectors seal with additional data, which ours never does, and cannot with its library.

    So the other implementation runs them, and test_oracles.py shows that each opens what the other seals.
    """
    wanted = {"mode": 0, "kem_id": 0x20, "kdf_id": 1, "aead_id": 2}
    (vector,) = [one for one in json.loads(text("HPKE/test-vectors.json")) if wanted.items() <= one.items()]
    private, info = bytes.fromhex(vector["skRm"]), bytes.fromhex(vector["info"])
    receiver = SUITE.kem.deserialize_private_key(private)
    context = SUITE.create_recipient_context(bytes.fromhex(vector["enc"]), receiver, info)
    first = vector["encryptions"][0]
    assert context.open(bytes.fromhex(first["ct"]), bytes.fromhex(first["aad"])).hex() == first["pt"]
    assert x25519_public(private).hex() == vector["pkRm"]
    sealed = seal._seal(b"batch", x25519_public(private), info)
    again = SUITE.create_recipient_context(sealed[:32], receiver, info)
    assert again.open(sealed[32:], b"") == b"batch"


def test_p256_proofs_are_verified_as_in_fips_186() -> None:
    """Only the lower of the two values of s is a proof here; the other one is refused whatever FIPS says."""
    found = [one for one in section("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp", "P-256,SHA-256") if "R" in one]
    for one in found:
        x, y, r, s = (int(one[name], 16) for name in ("Qx", "Qy", "R", "S"))
        low, high = min(s, P256_ORDER - s), max(s, P256_ORDER - s)
        assert _proves(x, y, r, low, one["Msg"]) == one["Result"].startswith("P")
        assert not _proves(x, y, r, high, one["Msg"])
    assert len(found) >= 10


def _proves(x: int, y: int, r: int, s: int, message: str) -> bool:
    try:
        public = bytes([2 + y % 2]) + x.to_bytes(32, "big")
        possession._verify(public, r.to_bytes(32, "big") + s.to_bytes(32, "big"), bytes.fromhex(message))
    except (ProtocolError, OverflowError):
        return False
    return True
