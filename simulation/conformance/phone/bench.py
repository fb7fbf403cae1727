"""What a phone's case works with: the scripted lock, and one tap after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from protocol import cbor, lockrecord
from protocol.handshake import LockDoor, LockHandshake
from protocol.identity import LockIdentity
from protocol.keys import x25519_public
from protocol.lockrecord import LockRecord
from protocol.messages import Carry, Decision, Done, Outcome, OutcomeCode, Request
from protocol.reasons import Reason
from protocol.settings import DoorKind
from simulation.conformance.forge import token_forge
from simulation.conformance.municipality import Municipality, Place, secret
from simulation.conformance.phone.script import PhoneLink, ScriptedLock
from simulation.conformance.phone.under_test import Credentials, PhoneUnderTest
from simulation.conformance.verdict import DeviationError, expect

Script = Callable[[PhoneLink], Awaitable[None]]
HELD_BULLETIN = 5
"""Number of the newest bulletin that the phone holds."""


@dataclass
class PhoneBench:
    """One phone under test before a lock of the kit's."""

    phone: PhoneUnderTest
    lock: ScriptedLock
    place: Place
    credentials: Credentials
    random: Callable[[int], bytes]

    def begin(self, operation: str = "open", *, lock_static: bytes | None = None) -> asyncio.Task[str]:
        """Tap; the task ends with what the person was told. ``lock_static``: of another lock's."""
        self.lock.forget()
        held = self.credentials
        if lock_static is not None:
            record = _record(self.place, lock_static, held.begins)
            held = replace(held, lock_static=lock_static, record=record)
        return asyncio.create_task(self.phone.tap(held, operation))

    async def told(self, wanted: str, tap: asyncio.Task[str]) -> None:
        """The person must have been told just this."""
        expect(wanted, await tap, "what the person was told")

    async def asked(self) -> tuple[PhoneLink, Request]:
        """Take the next link, begin the handshake, and return the request that comes."""
        link = await self.lock.link()
        link.send_m0()
        return link, await link.request()

    async def all_links(self, tap: asyncio.Task[str], script: Script) -> int:
        """Play a script on every link that the phone makes until the tap is over; return how many."""
        played = 0
        while not tap.done():
            linking = asyncio.create_task(self.lock.link(120.0))
            await asyncio.wait({linking, tap}, return_when=asyncio.FIRST_COMPLETED)
            if not linking.done():
                linking.cancel()
                break
            played += 1
            try:
                await script(linking.result())
            except DeviationError as deviation:
                if not tap.done() and str(deviation) != "the phone hung up":
                    raise
        return played

    def granted(self, link: PhoneLink, *, flags: int = 0) -> None:
        """Say m2: yes."""
        link.tell_plain(cbor.encode([2, Reason.GRANTED, 1, 10, HELD_BULLETIN, flags]))

    def refuse(self, link: PhoneLink, code: int, *, bulletin: int = HELD_BULLETIN) -> None:
        """Say m2: no."""
        link.tell(Decision(code, 1, 10, bulletin))

    async def finish(self, link: PhoneLink, code: OutcomeCode = OutcomeCode.MOVED) -> None:
        """Hear the carry, say the outcome and done."""
        await link.hear(Carry)
        link.tell(Outcome(code, 11, 80))
        link.tell(Done(0))


def _record(place: Place, lock_static: bytes, now: int) -> bytes:
    keys = (place.adv_key,)
    body = LockRecord(place.binding, place.lock.lock_id, lock_static, keys, DoorKind.APARTMENT, now)
    return lockrecord.sign(body, place.issuer.bulletin_key)


def door(now: int, random: Callable[[int], bytes]) -> tuple[Place, Credentials, Callable[[], LockHandshake]]:
    """Make the kit's door: the place, what a phone holds for it, and the lock's side of its handshakes."""
    static, seal_key = secret("scripted/static"), secret("scripted/seal")
    identity = LockIdentity(x25519_public(static), secret("scripted/log public"), x25519_public(seal_key))
    issuer = Municipality(now=now)
    place = Place(issuer, identity, binding=secret("scripted/binding")[:8], adv_key=secret("scripted/adv"))
    private, token_id = secret("scripted/phone"), secret("scripted/cti")[:8]
    token = token_forge(
        binding=place.binding, holder=x25519_public(private), key=issuer.token_key, now=now, token_id=token_id
    )
    credentials = Credentials(
        binding=place.binding,
        lock_id=identity.lock_id,
        lock_static=identity.static_public,
        adv_key=place.adv_key,
        record=_record(place, identity.static_public, now),
        token=bytes(token),
        token_id=token_id,
        begins=now - 600,
        ends=now - 600 + 8 * 3600,
        bulletin=place.news(time=now, number=HELD_BULLETIN),
        bulletin_number=HELD_BULLETIN,
        manifest=issuer.manifest(),
        private_key=private,
    )

    door = LockDoor(static_private=static, adv_key=place.adv_key, binding=place.binding)

    def shake() -> LockHandshake:
        return LockHandshake(door, ephemeral=random(32))

    return place, credentials, shake
