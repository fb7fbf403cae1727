"""What is sealed in the vault comes back as it was; what cannot be read is said to be damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mobile.engine.content import (
    Content,
    DoorRecord,
    Encoder,
    Identity,
    LockInfo,
    Right,
    Trust,
    decode,
    encode,
)
from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import DiskFullError, LockedError, VaultCorruptError, VaultTooNewError
from mobile.engine.keyring import Keyring
from mobile.engine.setup import Setup
from mobile.engine.state import (
    Alarm,
    AlarmStage,
    DoorKind,
    Fallback,
    HistoryEntry,
    OpeningState,
    Operation,
    Shift,
    Stage,
    Support,
    Visit,
)
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults
from protocol import cbor
from tests.mobile.issuing import CODE, PIN, URL, SmallServer
from tests.mobile.power import MemoryDisk

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
SECRET = bytes(range(32))
FULL = Content(
    identity=Identity("https://x.se", "1", "2", "device-token", SECRET, "Anna", "anna", "Omsorg", "Prov"),
    trust=Trust((bytes(32), bytes([1]) * 32), 2, b"manifest"),
    session="the session",
    cursor="c",
    synced_at=1_790_000_000,
    clock_offset=-7,
    shift=Shift("1", "Norr", 1, 2),
    visits=(Visit("1", 1, 2, "4711", ("g", "a")),),
    alarms=(Alarm("9", "4711", ("g", "a"), AlarmStage.TAKEN, 1, 2, 3),),
    doors={"g": DoorRecord("g", DoorKind.GATE, b"binding1", fallback=Fallback("locksmith", "", "08", ""))},
    locks={b"binding1": LockInfo(b"binding1", b"lock-id1", bytes(32), (SECRET,), 5, b"bulletin", 3)},
    rights={b"token-01": Right(b"token-01", b"binding1", b"the token", 1, 2, 3)},
    support=Support("08", "Ring", "Call"),
    history=(HistoryEntry(1, "g", "Lås", Operation.LOCK, OpeningState.JAMMED, "jammed"),),
    left_unlocked=frozenset({"g", "a"}),
)


def test_everything_comes_back_as_it_was() -> None:
    again = decode(encode(FULL))
    assert again == FULL
    assert isinstance(again.doors["g"].kind, DoorKind)
    assert isinstance(again.history[0].state, OpeningState)


def test_encoding_what_changed_gives_the_same_bytes_as_encoding_everything() -> None:
    encoder = Encoder()
    assert encoder.encode(FULL) == encode(FULL)
    for change in ({"cursor": None}, {"history": ()}, {"rights": {}}, {"left_unlocked": frozenset({"a"})}):
        changed = replace(FULL, **change)  # type: ignore[arg-type]
        assert encoder.encode(changed) == encode(changed)
        assert decode(encoder.encode(changed)) == changed


def test_no_secret_shows_in_a_repr() -> None:
    for secret in (repr(SECRET), "device-token", "the session", "the token"):
        assert secret not in repr(FULL)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xa0", cbor.encode({"version": 1}), cbor.encode([1])])
def test_what_cannot_be_read_is_damage(data: bytes) -> None:
    with pytest.raises(VaultCorruptError):
        decode(data)


def test_a_later_version_is_said_to_be_one() -> None:
    with pytest.raises(VaultTooNewError):
        decode(cbor.encode({"version": 2}))


async def test_rule_06_a_change_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    disk = MemoryDisk()
    vaults = Vaults(tmp_path, disk=disk, cost=CHEAP)
    keyring = Keyring()
    await keyring.open(await vaults.create("b1", PIN, encode(FULL)))
    disk.room = 10
    with pytest.raises(DiskFullError):
        await keyring.change(lambda content: replace(content, cursor="newer"))
    assert keyring.content == FULL
    disk.room = 1 << 40
    await keyring.change(lambda content: replace(content, cursor="newer"))
    await keyring.close()
    with pytest.raises(LockedError):
        _ = keyring.content
    await keyring.open(await vaults.unlock("b1", PIN))
    assert keyring.content.cursor == "newer"
    assert "newer" not in repr(keyring)


async def test_several_bearers_on_one_phone_have_each_their_vault(tmp_path: Path) -> None:
    server = SmallServer(now=lambda: 1_790_000_000)
    setup = Setup(tmp_path, transport=server.transport(), vault_cost=CHEAP, sync_seconds=None)
    engine = PhoneEngine(setup)
    await engine.start()
    assert engine.state.stage is Stage.NOT_ENROLLED
    await engine.enrol(URL, CODE, PIN)
    first = engine.state.active_bearer
    await engine.enrol(URL, CODE, "840275")
    second = engine.state.active_bearer
    assert {card.id for card in engine.state.bearers} == {first, second}
    assert {card.label for card in engine.state.bearers} == {"AL", "AL 2"}, "initials, no name"
    keys = engine._keyring.content.identity.private_key
    await engine.select_bearer(first)
    assert engine.state.stage is Stage.LOCKED
    assert engine.state.staff_name == ""
    await engine.unlock(PIN)
    assert engine._keyring.content.identity.private_key != keys
    await engine.change_pin(PIN, "602914")
    await engine.lock_app()
    await engine.unlock("602914")
    await engine.stop()
