"""Nothing secret shows in any repr."""

from dataclasses import fields as dataclass_fields

from protocol.keys import SigningKey
from protocol.lockrecord import LockRecord
from protocol.manifest import Manifest
from protocol.phone import Door
from protocol.phonekeys import X25519Key
from tests.protocol.vectors import world


def test_secrets_show_in_no_repr() -> None:
    shown = [
        world.RECORD,
        world.TOKEN_KEY,
        Door(world.BINDING, world.LOCK.static_public, world.ADV_KEY),
        SigningKey.from_seed(b"\0\0", world.seed("token key")),
        X25519Key(world.PHONE),
        world.P256_PHONE,
    ]
    text = " ".join(repr(one) + str(one) for one in shown)
    secrets = (world.ADV_KEY, world.NEXT_ADV_KEY, world.seed("token key"), world.PHONE, world.P256_PRIVATE)
    for secret in secrets:
        assert repr(secret)[2:-1] not in text and secret.hex() not in text


def test_fields_with_secret_names_are_kept_out_of_every_repr() -> None:
    from protocol import commission, cose, phone

    parts = [SigningKey, X25519Key, Door, LockRecord, Manifest, cose.Sign1]
    kinds = [*parts, phone.PhoneSession, commission.Commission]
    secret = {"private", "adv_key", "adv_keys", "static_private", "random", "seed"}
    named = [one for kind in kinds for one in dataclass_fields(kind) if one.name in secret]
    assert len(named) == 5
    assert not any(one.repr for one in named)
