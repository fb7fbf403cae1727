"""Doors and phones around the real server, in time turned by hand: real lock cores, the engine's own merging.

No radio and no HTTP: a phone syncs by the server's domain, verifies as the engine does, finds a door by its
advert and talks to the lock's core frame by frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lockagent.core.identity import LockSecrets
from mobile.engine.answers import RightOffer, SyncAnswer
from mobile.engine.content import Content, Identity, LockInfo, Right, Support, Trust
from mobile.engine.merge import Merged, adv_keys, merge
from protocol import advert, ceremony, identity, manifest
from protocol.keys import SigningKey
from protocol.messages import Command, LogBatch, Request
from protocol.phone import Door as PhoneDoor
from protocol.phone import PhoneSession
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from server.access.domain.cursor import Cursor, mark
from server.access.domain.sync import Answer, look, sync
from server.care.models import Shift
from server.keys.domain.following import follow
from server.keys.domain.publishing import publish
from server.keys.domain.signatures import take_signatures
from server.locks.domain.commission import commission_lock, confirm
from server.locks.models import Binding
from server.passages.domain.intake import Result, take_in
from server.people.models import Bearer
from server.places.models import Door
from server.tenancy.domain.keyring import current_manifest, root_set
from server.tenancy.domain.keys import found_municipality
from server.tenancy.models import Manifest, ManifestDraft, Municipality
from tests.lockagent.bench import Attempt, Bench
from tests.lockagent.world import Issuer as SmallIssuer
from tests.lockagent.world import Place, secret
from tests.server.issuer import real_phone
from tests.server.world import LONG_AGO, NOW, World, make_bearer, make_shift, make_staff, make_world

ROOT_SEEDS = tuple(secret(f"root {number}") for number in range(3))
DAY = timedelta(days=1)


def roots(names: str, count: int = 3) -> list[SigningKey]:
    """Root keys as their holders keep them."""
    return [manifest.root_signing_key(secret(f"{names}/{number}")) for number in range(count)]


FIRST_ROOTS = [manifest.root_signing_key(seed) for seed in ROOT_SEEDS]


class Clock:
    """What time it is, for everybody."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def go_on(self, by: timedelta) -> None:
        self.at += by


class StreetDoor(Bench):
    """A lock core that the server commissioned."""

    def __init__(self, door: Door, clock: Clock, name: str) -> None:
        secrets = LockSecrets(secret(f"{name}/s"), secret(f"{name}/l"), secret(f"{name}/e"))
        super().__init__(Place(SmallIssuer(), secrets.identity), wall=clock.at.timestamp(), secrets=secrets)
        document = identity.sign(secrets.identity, secrets.log_key)
        self.clock = clock
        self.binding: Binding = commission_lock(door=door, identity_document=document, at=clock.at, name=name)
        assert self.binding.commission_document is not None
        assert self.commission(bytes(self.binding.commission_document)) is Reason.GRANTED
        confirm(binding=self.binding, at=clock.at)
        self.binding.refresh_from_db()

    def now(self) -> None:
        """Let time pass at the lock until everybody's now."""
        self.advance(max(0.0, self.clock.at.timestamp() - self.wall))

    @property
    def manifest_version(self) -> int:
        assert self.core.binding is not None
        return self.core.binding.manifest.version


@dataclass
class Handset:
    """A person's phone: what its vault holds, and nothing the server did not give it."""

    bearer: Bearer
    clock: Clock
    private: bytes
    content: Content
    cursor: Cursor = field(default_factory=Cursor)
    batches: list[bytes] = field(default_factory=list)
    carries_news: bool = True
    """A courier may keep bulletins to itself."""
    _count: int = 0

    def sync(self) -> Merged:
        """What the phone fetches, verified and merged as the engine does."""
        self.bearer.refresh_from_db()
        answer = sync(bearer=self.bearer, known=self.cursor, at=self.clock.at)
        merged = merge(self.content, _as_sent(answer, self.clock.at), clock_offset=0)
        self.content = merged.content
        self.cursor = answer.cursor if not merged.spoilt else Cursor()
        if merged.spoilt:
            self.content = replace(self.content, cursor=None)
        return merged

    def forget_cursor(self) -> None:
        """Ask for everything next time, as a phone does whose cursor the server cannot read."""
        self.cursor, self.content = Cursor(), replace(self.content, cursor=None)

    def look(self) -> bool:
        """Ask whether anything is new."""
        self.bearer.refresh_from_db()
        return look(bearer=self.bearer, mark=mark(self.cursor.encode(self.bearer.pk)), at=self.clock.at)[0]

    def hand_in(self) -> list[Result]:
        """Hand in every log that was carried home."""
        batches, self.batches = self.batches, []
        return take_in(documents=batches, courier=self.bearer.phone, at=self.clock.at)

    def finds(self, door: StreetDoor) -> tuple[LockInfo, bytes] | None:
        """The door's advert, resolved: whose it is, and the adv_key that it was made with."""
        heard = advert.parse(door.adverts[-1])
        found = advert.Resolver(adv_keys(self.content.locks)).resolve(heard)
        return (self.content.locks[found[0]], found[1]) if found is not None else None

    def right_to(self, lock: LockInfo) -> Right:
        now = int(self.clock.at.timestamp())
        rights = [one for one in self.content.rights.values() if one.binding == lock.binding]
        return max(rights, key=lambda one: (one.not_before <= now < one.expires, one.expires))

    def open(self, door: StreetDoor, command: Command = Command.OPEN, right: Right | None = None) -> Attempt:
        """Stand at the door and tap; what the lock hands over is carried home."""
        door.now()
        found = self.finds(door)
        assert found is not None, "this phone does not know the advert"
        lock, adv_key = found
        self._count += 1
        session = PhoneSession(
            door=PhoneDoor(lock.binding, lock.static_public, adv_key),
            key=X25519Key(self.private),
            request=Request(
                command,
                secret(f"{self.bearer.pk}/{self._count}")[:8],
                (right or self.right_to(lock)).token,
            ),
            capacity=244,
            random=door.rng.randbytes,
            news=lock.bulletin if self.carries_news else None,
            carry_bytes=4096,
        )
        attempt = Attempt(door, session, door.link_up()).run(3.0)
        self.batches += [one.sealed for one in attempt.said if isinstance(one, LogBatch)]
        door.link_down(attempt.link)
        return attempt


def _as_sent(answer: Answer, at: datetime) -> SyncAnswer:
    return SyncAnswer(
        server_time=int(at.timestamp()),
        minimum_app_version="",
        cursor="held",
        manifest=answer.manifest,
        shift=None,
        visits=(),
        alarms=(),
        doors=(),
        rights=tuple(
            RightOffer(
                bytes(one.token.binding.binding_id),
                bytes(one.token.token_id),
                one.document,
                one.lock_record,
                one.bulletin,
            )
            for one in answer.rights
        ),
        removed_rights=tuple(answer.removed_rights),
        removed_doors=(),
        bulletins=tuple((bytes(binding.binding_id), news) for binding, _seq, news in answer.bulletins),
        support=Support(),
    )


def handset(bearer: Bearer, clock: Clock, device: str) -> Handset:
    """An enrolled phone: the roots pinned, nothing held yet."""
    private = real_phone(bearer, device)
    _held, document = current_manifest(bearer.municipality)
    pinned = root_set(bearer.municipality)
    trust = Trust(pinned.keys, pinned.threshold, document)
    content = Content(
        identity=Identity("http://localhost", "1", "2", device, private), trust=trust, session="signed in"
    )
    return Handset(bearer, clock, private, content)


def sign(draft: ManifestDraft, holders: list[SigningKey], at: datetime) -> None:
    """Every holder signs a copy of their own, offline, and the server takes them in."""
    for key in holders:
        file = ceremony.add_signature(ceremony.parse(bytes(draft.document)), key).encode()
        take_signatures(draft=draft, file=file, at=at)


def sign_and_publish(draft: ManifestDraft, holders: list[SigningKey], at: datetime) -> Manifest:
    """Bring it into force, and let follow what follows."""
    sign(draft, holders, at)
    made = publish(draft=draft, at=at)
    follow(Municipality.objects.get(pk=draft.municipality_id), at=at)
    return made


def seconds(at: datetime) -> int:
    return int(at.timestamp())


@dataclass
class Street:
    """A municipality with a gate and an apartment on it, and two people of the team with a phone each."""

    municipality: Municipality
    world: World
    clock: Clock
    gate: StreetDoor
    apartment: StreetDoor
    anna: Handset
    bo: Handset

    @property
    def version(self) -> int:
        return current_manifest(Municipality.objects.get(pk=self.municipality.pk))[0].version

    def next_day(self, days: int = 1) -> None:
        """The same hour some days later, with a shift for both."""
        self.clock.go_on(days * DAY)
        self.plan()

    def plan(self) -> None:
        starts = self.clock.at - timedelta(hours=1)
        for phone in (self.anna, self.bo):
            make_shift(
                phone.bearer.staff, self.world.team, starts_at=starts, ends_at=starts + timedelta(hours=8)
            )


def street() -> Street:
    """Build it; must run in a scope of the municipality that `founded` made."""
    municipality = Municipality.objects.get()
    world = make_world(municipality)
    Shift.objects.all().delete()
    for binding in (world.gate_binding, world.apartment_binding):
        binding.delete()
        binding.lock.delete()
    clock = Clock(NOW)
    gate, apartment = StreetDoor(world.gate, clock, "Lås 1"), StreetDoor(world.apartment, clock, "Lås 2")
    anna = handset(world.bearer, clock, "annas-telefon")
    bo = handset(make_bearer(make_staff(world.team, "Bo")), clock, "bos-telefon")
    made = Street(municipality, world, clock, gate, apartment, anna, bo)
    made.plan()
    return made


def founded() -> Municipality:
    return found_municipality(
        slug="testköping", name="Testköping", at=LONG_AGO, root_seeds=ROOT_SEEDS
    ).municipality
