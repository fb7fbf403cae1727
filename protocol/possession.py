"""Suite 2's proof of possession: an ES256 signature by the phone's P-256 key over this very handshake.

Noise KN knows the lock alone, so the phone proves itself inside m1: it signs the transcript up to its own
ephemeral, its key and its request (a request cannot be taken out of one handshake and put into another). A
proof has exactly one accepted form: r and s of 32 bytes each, s in the lower half of the group's order, for
with every (r, s) the pair (r, n - s) holds too (RFC 9053 section 2.1 leaves both open).
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from protocol import cose, fields
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import HolderKey, KeyType
from protocol.phonekeys import ProvingKey
from protocol.suites import POINT_LENGTH, PROOF_LENGTH

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (NIST SP 800-186 section 3.2.1.3)."""
_HALF = PROOF_LENGTH // 2
_HEAD = PROOF_LENGTH + POINT_LENGTH


def transcript(hash_after_m0: bytes, phone_ephemeral: bytes) -> bytes:
    """The Noise handshake hash when the request is sealed: in KN only the phone's ephemeral came since m0."""
    return hashlib.sha256(hash_after_m0 + phone_ephemeral).digest()


def signed_message(handshake_hash: bytes, holder: HolderKey, request: bytes) -> bytes:
    """What the phone's key signs, before SHA-256."""
    fields.octets(handshake_hash, 32, "handshake hash")
    return cose.context("possession", handshake_hash, holder.encoded, request)


def prove(key: ProvingKey, handshake_hash: bytes, request: bytes) -> bytes:
    """Return the payload of m1: proof, key, request. Asks the key, which may live in hardware."""
    holder = key.holder
    return _raw(key.sign(signed_message(handshake_hash, holder, request))) + holder.public + request


def check(handshake_hash: bytes, payload: bytes) -> tuple[HolderKey, bytes]:
    """Return (the phone's key, the request) of a payload whose proof holds; else raise ProtocolError."""
    if len(payload) <= _HEAD:
        raise ProtocolError("no request")
    proof, public, request = payload[:PROOF_LENGTH], payload[PROOF_LENGTH:_HEAD], payload[_HEAD:]
    holder = HolderKey(KeyType.P256, public)
    _verify(public, proof, signed_message(handshake_hash, holder, request))
    return holder, request


def _verify(public: bytes, proof: bytes, message: bytes) -> None:
    r, s = int.from_bytes(proof[:_HALF], "big"), int.from_bytes(proof[_HALF:], "big")
    if not (0 < r < ORDER and 0 < s <= ORDER // 2):
        raise SignatureError("not the one form of a proof")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise SignatureError("proof does not hold") from None


def _raw(der: bytes) -> bytes:
    """The one accepted form of what a key's holder signed (ASN.1 DER, as every library and Keystore give)."""
    try:
        r, s = decode_dss_signature(der)
    except ValueError:
        raise SignatureError("the phone's key made no signature") from None
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise SignatureError("the phone's key made no signature")
    return r.to_bytes(_HALF, "big") + min(s, ORDER - s).to_bytes(_HALF, "big")
