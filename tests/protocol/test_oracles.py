"""Other implementations agree: dissononce (handshake), cwt (token, COSE), pyhpke (sealing), cbor2 (CBOR)."""

import secrets
from typing import Any

import cbor2
import pytest
from cwt import COSE, COSEKey
from cwt.exceptions import VerifyError
from dissononce.cipher.aesgcm import AESGCMCipher
from dissononce.dh.x25519.x25519 import X25519DH, PrivateKey, PublicKey
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.KN import KNHandshakePattern
from dissononce.processing.handshakepatterns.interactive.KX import KXHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState
from dissononce.processing.modifiers.psk import PSKPatternModifier
from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, cose, manifest, possession, seal, token
from protocol.errors import ProtocolError
from protocol.handshake import LockDoor, LockHandshake, prologue
from protocol.keys import x25519_public
from protocol.suites import SUITE_1, SUITE_2
from tests.protocol.independent import p256
from tests.protocol.vectors import files, opening, suite2, world

REQUEST = b"open, please"


def _other(initiator: bool, dh: X25519DH | None = None, **keys: Any) -> HandshakeState:
    state = HandshakeState(SymmetricState(CipherState(AESGCMCipher()), SHA256Hash()), dh or X25519DH())
    state.initialize(
        PSKPatternModifier(1).modify(KXHandshakePattern()),
        initiator,
        prologue(SUITE_1, world.BINDING),
        psks=(opening.derive(world.ADV_KEY, "psk"),),
        **keys,
    )
    return state


def _pair(private: bytes) -> Any:
    return X25519DH().generate_keypair(PrivateKey(private))


def _mac1(m0: bytes, rest: bytes) -> bytes:
    return opening.with_mac1(m0, rest)


def test_our_phone_at_a_lock_by_dissononce() -> None:
    lock = _other(True, s=_pair(world.LOCK_STATIC))
    m0 = bytearray()
    lock.write_message(b"", m0)
    m1, ours = opening.phone_side().answer(bytes(m0), REQUEST)
    request = bytearray()
    to_phone, to_lock = lock.read_message(m1[8:], request)
    assert (bytes(request), lock.rs.data) == (REQUEST, world.PHONE_KEY.public)
    for n in range(3):
        assert ours.decrypt(to_phone.encrypt_with_ad(b"", b"m%d" % n)) == b"m%d" % n
        assert to_lock.decrypt_with_ad(b"", ours.encrypt(b"p%d" % n)) == b"p%d" % n


def test_a_phone_by_dissononce_at_our_lock() -> None:
    ours = opening.lock_side()
    phone = _other(False, s=_pair(world.PHONE), rs=PublicKey(world.LOCK.static_public))
    phone.read_message(ours.m0, bytearray())
    rest = bytearray()
    to_phone, to_lock = phone.write_message(REQUEST, rest)
    holder, request, channel = ours.read_m1(_mac1(ours.m0, bytes(rest)))
    assert (holder, request) == (world.PHONE_KEY, REQUEST)
    for n in range(3):
        assert to_phone.decrypt_with_ad(b"", channel.encrypt(b"m%d" % n)) == b"m%d" % n
        assert channel.decrypt(to_lock.encrypt_with_ad(b"", b"p%d" % n)) == b"p%d" % n


def _kn(initiator: bool, dh: X25519DH | None = None, **keys: Any) -> HandshakeState:
    state = HandshakeState(SymmetricState(CipherState(AESGCMCipher()), SHA256Hash()), dh or X25519DH())
    pattern = PSKPatternModifier(1).modify(KNHandshakePattern())
    psks = (opening.derive(world.ADV_KEY, "psk"),)
    state.initialize(pattern, initiator, prologue(SUITE_2, world.BINDING), psks=psks, **keys)
    return state


def test_suite_2_our_phone_at_a_lock_by_dissononce() -> None:
    lock = _kn(True, s=_pair(world.LOCK_STATIC))
    m0, payload = bytearray(), bytearray()
    lock.write_message(b"", m0)
    m1, ours = suite2.phone_side().answer(bytes(m0), REQUEST)
    transcript = possession.transcript(bytes(lock.symmetricstate.get_handshake_hash()), m1[8:40])
    to_phone, to_lock = lock.read_message(m1[8:], payload)
    assert possession.check(transcript, bytes(payload)) == (suite2.HOLDER, REQUEST)
    for n in range(3):
        assert ours.decrypt(to_phone.encrypt_with_ad(b"", b"m%d" % n)) == b"m%d" % n
        assert to_lock.decrypt_with_ad(b"", ours.encrypt(b"p%d" % n)) == b"p%d" % n


def test_suite_2_a_phone_by_dissononce_at_our_lock() -> None:
    """Its proof made by another library's COSE signer of ES256."""
    ours = suite2.lock_side()
    ephemeral = opening.PHONE_EPHEMERAL
    phone = _kn(False, dh=_Fixed(ephemeral.hex()), rs=PublicKey(world.LOCK.static_public))
    phone.read_message(ours.m0, bytearray())
    after_m0 = bytes(phone.symmetricstate.get_handshake_hash())
    transcript = possession.transcript(after_m0, x25519_public(ephemeral))
    proof = _es256(possession.signed_message(transcript, suite2.HOLDER, REQUEST))
    rest = bytearray()
    to_phone, to_lock = phone.write_message(proof + suite2.HOLDER.public + REQUEST, rest)
    holder, request, channel = ours.read_m1(_mac1(ours.m0, bytes(rest)))
    assert (holder, request) == (suite2.HOLDER, REQUEST)
    assert to_phone.decrypt_with_ad(b"", channel.encrypt(b"m2")) == b"m2"
    assert channel.decrypt(to_lock.encrypt_with_ad(b"", b"carry")) == b"carry"


def _es256(message: bytes) -> bytes:
    """r and s as `cwt` signs them, with the smaller s."""
    x, y = p256.point(suite2.HOLDER.public) or (0, 0)
    coordinates = {-2: x.to_bytes(32, "big"), -3: y.to_bytes(32, "big")}
    signed: bytes = COSEKey.new({1: 2, 3: -7, -1: 1, -4: world.P256_PRIVATE, **coordinates}).sign(message)
    s = int.from_bytes(signed[32:], "big")
    return signed[:32] + min(s, possession.ORDER - s).to_bytes(32, "big")


class _Fixed(X25519DH):
    """Draws the ephemeral key of the vectors."""

    def __init__(self, ephemeral: str) -> None:
        super().__init__()
        self._ephemeral = bytes.fromhex(ephemeral)

    def generate_keypair(self, privatekey: Any = None) -> Any:
        return super().generate_keypair(privatekey or PrivateKey(self._ephemeral))


def test_dissononce_makes_the_handshake_of_the_vectors() -> None:
    vector = files.load("handshake")
    lock = _other(True, dh=_Fixed(vector["lock_ephemeral_private"]), s=_pair(world.LOCK_STATIC))
    phone = _other(
        False,
        dh=_Fixed(vector["phone_ephemeral_private"]),
        s=_pair(world.PHONE),
        rs=PublicKey(world.LOCK.static_public),
    )
    m0, rest, request = bytearray(), bytearray(), bytearray()
    lock.write_message(b"", m0)
    phone.read_message(bytes(m0), bytearray())
    from_lock, from_phone = phone.write_message(bytes.fromhex(vector["request"]), rest)
    lock.read_message(bytes(rest), request)
    assert m0.hex() == vector["m0"]
    assert _mac1(bytes(m0), bytes(rest)).hex() == vector["m1"]
    assert request.hex() == vector["request"]
    for one in vector["session"]:
        cipher = from_lock if one["from"] == "lock" else from_phone
        assert cipher.encrypt_with_ad(b"", bytes.fromhex(one["plaintext"])).hex() == one["message"]


def test_fresh_keys_every_time_still_agree() -> None:
    for _ in range(20):
        static, phone = secrets.token_bytes(32), secrets.token_bytes(32)
        door = LockDoor(static_private=static, adv_key=world.ADV_KEY, binding=world.BINDING)
        lock = LockHandshake(door, ephemeral=secrets.token_bytes(32))
        other = _other(False, s=_pair(phone), rs=PublicKey(x25519_public(static)))
        other.read_message(lock.m0, bytearray())
        rest = bytearray()
        other.write_message(REQUEST, rest)
        holder, request, _ = lock.read_m1(_mac1(lock.m0, bytes(rest)))
        assert (holder.public, request) == (x25519_public(phone), REQUEST)


def _cwt_key(public: bytes, kid: bytes) -> Any:
    return COSEKey.new({1: 1, 2: kid, 3: -8, -1: 6, -2: public})


def _tagged(data: bytes) -> bytes:
    """``cwt`` wants the tag of COSE_Sign1 that the profile leaves out."""
    return b"\xd2" + data


def test_token_is_a_cwt() -> None:
    key = _cwt_key(world.TOKEN_KEY.public, world.TOKEN_KEY.kid)
    aad = cose.context("token", world.PHONE_KEY.encoded)
    claims = cbor2.loads(COSE.new().decode(_tagged(world.TOKEN), key, external_aad=aad))
    assert claims == {
        3: world.CLAIMS.binding,
        4: world.CLAIMS.expires,
        5: world.CLAIMS.not_before,
        6: world.CLAIMS.issued_at,
        7: world.CLAIMS.token_id,
        9: int(world.CLAIMS.scope),
        -65537: world.CLAIMS.grp,
    }


CLAIMS = {"aud": 3, "exp": 4, "nbf": 5, "iat": 6, "cti": 7, "scope": 9, "grp": -65537}


@pytest.mark.parametrize("case", files.load("token")["accepted"], ids=lambda case: case["name"])
def test_tokens_of_the_vectors_are_cwts(case: dict[str, Any]) -> None:
    key = _cwt_key(world.TOKEN_KEY.public, bytes.fromhex(case["kid"]))
    aad = bytes.fromhex(files.load("token")["external_aad"])
    claims = cbor2.loads(COSE.new().decode(_tagged(bytes.fromhex(case["bytes"])), key, external_aad=aad))
    named = {name: claims.pop(label) for name, label in CLAIMS.items()}
    assert files.plain(named) == case["claims"]
    assert claims == {}


def test_token_of_another_phone_is_no_cwt_either() -> None:
    key = _cwt_key(world.TOKEN_KEY.public, world.TOKEN_KEY.kid)
    aad = cose.context("token", world.OTHER_PHONE_KEY.encoded)
    with pytest.raises(VerifyError):
        COSE.new().decode(_tagged(world.TOKEN), key, external_aad=aad)


def test_token_signed_by_cwt() -> None:
    seed = world.seed("token key")
    key = COSEKey.new({1: 1, 2: world.TOKEN_KEY.kid, 3: -8, -1: 6, -2: world.TOKEN_KEY.public, -4: seed})
    payload = cose.parse1(world.TOKEN, max_size=160).payload
    aad = cose.context("token", world.PHONE_KEY.encoded)
    made = COSE.new().encode_and_sign(
        payload, key, protected={1: -8, 4: world.TOKEN_KEY.kid}, external_aad=aad
    )
    assert bytes(made) == _tagged(world.TOKEN)
    token.parse(made[1:]).verify(world.TOKEN_KEY.verify_key, world.PHONE_KEY)


@pytest.mark.parametrize("root", world.ROOTS[:2])
def test_manifest_is_a_cose_sign(root: Any) -> None:
    """Tag 98 and one signature after the other, by kid."""
    data = b"\xd8\x62" + world.MANIFEST_BYTES
    key = _cwt_key(root.public, manifest.root_kid(root.public))
    payload = COSE.new().decode(data, key, external_aad=cose.context("manifest"))
    assert payload == cose.parse(world.MANIFEST_BYTES, max_size=2048).payload


def test_what_we_seal_opens_with_pyhpke() -> None:
    sealed = seal.parse_log(seal.seal_log(b"batch", world.SEALING_KEY))
    info = cose.context("log", world.SEALING_KEY.kid)
    assert world.open_sealed(sealed.ciphertext, world.SEALING_PRIVATE, info) == b"batch"


def test_what_pyhpke_seals_opens_with_ours() -> None:
    info = world.secrets_info(world.BINDING, 4)
    made = world.seal(cbor.encode([world.ADV_KEY]), world.LOCK.seal_public, info, "oracle")
    assert seal.open_adv_keys(made, world.LOCK_SEAL, world.BINDING, 4) == (world.ADV_KEY,)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=40)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=9) | st.text(max_size=9), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@given(VALUES)
def test_cbor2_reads_what_we_write_and_we_read_it_too(value: Any) -> None:
    try:
        data = cbor.encode(value)
    except ProtocolError:
        return  # nested too deep
    assert cbor2.loads(data) == value
    assert cbor.decode(data, max_size=len(data)) == value


@given(st.binary(max_size=60))
def test_whatever_we_read_cbor2_reads_alike(data: bytes) -> None:
    try:
        value = cbor.decode(data, max_size=60)
    except ProtocolError:
        return
    assert cbor2.loads(data) == value
    assert cbor.encode(value) == data
