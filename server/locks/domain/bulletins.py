"""Bulletins: what each lock must know next, signed, numbered without ever going back.

A bulletin is made when something in it changed, or before the newest one grows stale; otherwise nothing
happens, so every caller may call as often as it likes. Numbers are taken under a lock on the binding row, so
two workers cannot give one number to two bulletins. A manifest is in every bulletin until the lock is known
to have it, and so is an advert key that is on its way: the newest bulletin alone has to tell it all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from protocol import bulletin as wire
from protocol import cbor, seal
from protocol.keys import SigningKey
from server.access.models import Token
from server.locks.domain.advert_keys import next_one
from server.locks.models import Binding, BindingGroup, Bulletin
from server.locks.queries import (
    BulletinFacts,
    bulletin_facts,
    lock_for_update,
    newest_bulletins,
    open_bindings,
    outdated_bulletins,
    with_lock_and_door,
)
from server.locks.rules import EDGE, REFRESH_AFTER, lock_settings
from server.tenancy.domain import keyring
from server.tenancy.models import Manifest, Municipality, RoleKey
from server.tenancy.queries import newest_manifest, tokens_not_before
from server.tenancy.scoping import whole_municipality

KEEP = timedelta(days=30)
"""How long replaced bulletins are kept, so that it can be shown which locks knew what when."""

GROUP_END_MATTERS = timedelta(days=7)
"""Issued at most three days ahead and valid for at most two, older tokens have ended by then."""

CHUNK = 200
"""Bindings per transaction, so that a municipality-wide change never holds all of them at once."""


@whole_municipality()
def build_due(municipality: Municipality, *, at: datetime) -> int:
    """Make every bulletin of the municipality that is due; returns how many were made."""
    ids = list(open_bindings(municipality.pk).order_by("pk").values_list("pk", flat=True))
    return build_among(municipality, ids, at=at)


def build_among(municipality: Municipality, ids: Sequence[int], *, at: datetime) -> int:
    """Make the bulletins that are due among these bindings; returns how many were made."""
    if not ids:
        return 0
    builder = _Builder(municipality, at)
    # Most often nothing is due: look first, without holding rows that issuing and intake may want.
    return sum(builder.build(due) for chunk in _chunks(ids) if (due := builder.due_among(chunk)))


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


@whole_municipality()
def build_bulletins(municipality: Municipality, binding_ids: Collection[int], *, at: datetime) -> int:
    """Make the bulletins of these bindings that changed or grow stale; returns how many were made."""
    if not binding_ids:
        return 0
    builder = _Builder(municipality, at)
    return sum(builder.build(chunk) for chunk in _chunks(sorted(binding_ids)))


@whole_municipality()
def ensure_fresh(municipality: Municipality, binding_ids: Collection[int], *, at: datetime) -> None:
    """Make sure each binding has a bulletin that will not be stale beside a token issued at `at`."""
    newest = newest_bulletins(binding_ids)
    stale = [
        binding
        for binding in binding_ids
        if binding not in newest or newest[binding].created_at <= at - REFRESH_AFTER
    ]
    build_bulletins(municipality, stale, at=at)


@whole_municipality()
def skip_numbers(municipality: Municipality, *, by: int, at: datetime) -> int:
    """Make a bulletin for every mounted lock whose number is `by` higher than the next; returns how many.

    For a database that went back in time: a lock refuses every number it has seen, and we do not know which.
    """
    ids = list(open_bindings(municipality.pk).order_by("pk").values_list("pk", flat=True))
    builder = _Builder(municipality, at, skip=by)
    return sum(builder.build(chunk) for chunk in _chunks(ids))


def forget_old_bulletins(*, at: datetime) -> None:
    """Delete bulletins that newer ones have long replaced; the newest of each binding stays."""
    outdated_bulletins(created_before=at - KEEP).delete()


def content_hash(body: wire.Bulletin, *, rotation: int = 0) -> bytes:
    """Return the hash of all that a bulletin says apart from its number and time.

    Sealed secrets are sealed anew for every number: `rotation` stands for the advert key that they bring.
    """
    said = [
        body.settings.as_map(),
        sorted(body.revoked),
        dict(body.grp_not_before or {}),
        body.not_before,
        body.manifest,
        body.receipt,
        rotation,
    ]
    return hashlib.sha256(cbor.encode(said)).digest()


class _Builder:
    """One run over many bindings of one municipality."""

    def __init__(self, municipality: Municipality, at: datetime, *, skip: int = 0) -> None:
        self.municipality = municipality
        self.at = at.replace(microsecond=0)
        self.skip = skip
        """How many numbers are left out; whoever leaves any out wants a bulletin for every lock."""
        self.key: SigningKey = keyring.signing_key(municipality.pk, RoleKey.Role.BULLETIN)
        self.manifest: Manifest = newest_manifest(municipality.pk)
        self.tokens_not_before = tokens_not_before(municipality.pk)

    def due_among(self, binding_ids: Sequence[int]) -> list[int]:
        """Return those whose bulletin is due, as it looks without holding their rows."""
        bindings = with_lock_and_door(binding_ids)
        facts = bulletin_facts(bindings, expires_after=self.at - EDGE, at=self.at)
        return [binding.pk for binding in bindings if self._looks_due(binding, facts)]

    def _looks_due(self, binding: Binding, facts: BulletinFacts) -> bool:
        if len(facts.revoked.get(binding.pk, [])) > wire.MAX_REVOKED:
            return True  # what to do about it needs the row
        body = self._body(binding, facts, seq=1)
        digest = content_hash(body, rotation=binding.rotation)
        return self._is_due(facts.newest.get(binding.pk), digest)

    def _is_due(self, newest: Bulletin | None, digest: bytes) -> bool:
        if newest is None or bytes(newest.content_hash) != digest:
            return True
        return newest.created_at <= self.at - REFRESH_AFTER

    @transaction.atomic
    def build(self, binding_ids: Sequence[int]) -> int:
        """Make what is due among `binding_ids`, in one transaction."""
        bindings = lock_for_update(binding_ids)
        facts = bulletin_facts(bindings, expires_after=self.at - EDGE, at=self.at)
        due = [made for binding in bindings if (made := self._make(binding, facts)) is not None]
        Bulletin.unscoped.bulk_create(due)
        return len(due)

    def _make(self, binding: Binding, facts: BulletinFacts) -> Bulletin | None:
        newest = facts.newest.get(binding.pk)
        body = self._body(binding, facts, seq=(newest.seq if newest else 0) + 1 + self.skip)
        if not self.skip and not self._is_due(newest, content_hash(body, rotation=binding.rotation)):
            return None
        if binding.rotation:
            body = replace(body, secrets=_sealed_next_key(binding, body.seq))
        if newest is not None and newest.created_at > self.at:
            # A host whose clock lags must not send a lock's time backwards.
            body = replace(body, time=int(newest.created_at.timestamp()))
        made = signed_row(
            binding, body, key=self.key, at=max(self.at, newest.created_at if newest else self.at)
        )
        made.manifest_version = self.manifest.version if body.manifest is not None else None
        return made

    def _body(self, binding: Binding, facts: BulletinFacts, *, seq: int) -> wire.Bulletin:
        groups = facts.groups.get(binding.pk, [])
        revoked = self._bounded(binding, facts.revoked.get(binding.pk, []), groups)
        revoked |= _hashes(binding, facts.shut_out.get(binding.pk, [])[: wire.MAX_REVOKED - len(revoked)])
        position = facts.positions.get(binding.lock_id)
        return wire.Bulletin(
            binding=bytes(binding.binding_id),
            lock_id=bytes(binding.lock.lock_id),
            seq=seq,
            time=int(self.at.timestamp()),
            settings=lock_settings(
                binding,
                clock_ppm=facts.clock_ppm.get(binding.lock_id),
                count_hand_openings=binding.door_id in facts.hand_counts,
            ),
            revoked=frozenset(revoked),
            grp_not_before=_not_before(groups, self.at),
            not_before=self._not_before_all(),
            manifest=self._manifest_for(binding, facts),
            receipt=bytes(position.receipt) if position and position.receipt else None,
        )

    def _manifest_for(self, binding: Binding, facts: BulletinFacts) -> bytes | None:
        """Return the manifest unless the lock is known to have it: it is not small."""
        has = max(binding.manifest_version, facts.manifests.get(binding.lock_id, 0))
        return bytes(self.manifest.document) if self.manifest.version > has else None

    def _not_before_all(self) -> int:
        """Return before when every token is dead, as long as older ones could still be alive."""
        since = self.tokens_not_before
        return int(since.timestamp()) if since and since > self.at - GROUP_END_MATTERS else 0

    def _bounded(self, binding: Binding, tokens: list[Token], groups: list[BindingGroup]) -> set[bytes]:
        """Return the revoked hashes that fit; where they do not, end whole groups instead."""
        ends = {group.grp: group for group in groups}
        listed = [token for token in tokens if not _is_covered(token, ends)]
        while len(listed) > wire.MAX_REVOKED:
            crowded = max(ends, key=lambda grp: sum(token.grp == grp for token in listed))
            self._end_group(binding, ends[crowded])
            remaining = [token for token in listed if not _is_covered(token, ends)]
            listed = remaining if len(remaining) < len(listed) else remaining[: wire.MAX_REVOKED]
        return _hashes(binding, [bytes(token.token_id) for token in listed])

    def _end_group(self, binding: Binding, group: BindingGroup) -> None:
        """Move a group's not-before to now; its good tokens here are replaced and issued again."""
        group.not_before = self.at
        group.save(update_fields=["not_before"])
        Token.unscoped.filter(
            binding=binding,
            grp=group.grp,
            issued_at__lt=self.at,
            revoked_at__isnull=True,
            replaced_at__isnull=True,
        ).update(replaced_at=self.at)


def _hashes(binding: Binding, token_ids: Iterable[bytes]) -> set[bytes]:
    return {wire.revoked_hash(bytes(binding.binding_id), token_id) for token_id in token_ids}


def signed_row(binding: Binding, body: wire.Bulletin, *, key: SigningKey, at: datetime) -> Bulletin:
    """Sign `body` and return its row, not yet saved."""
    return Bulletin(
        municipality_id=binding.municipality_id,
        binding=binding,
        seq=body.seq,
        document=wire.sign(body, key),
        content_hash=content_hash(body, rotation=binding.rotation),
        brings_adv_key=body.secrets is not None,
        created_at=at,
    )


def _sealed_next_key(binding: Binding, seq: int) -> bytes:
    key, lock = next_one(binding), binding.lock
    return seal.seal_adv_keys((key,), bytes(lock.seal_public_key), bytes(binding.binding_id), seq)


def _not_before(groups: Sequence[BindingGroup], at: datetime) -> dict[int, int]:
    """Return the not-before of groups whose older tokens could still be alive."""
    return {
        group.grp: int(group.not_before.timestamp())
        for group in groups
        if group.not_before is not None and group.not_before > at - GROUP_END_MATTERS
    }


def _is_covered(token: Token, groups: dict[int, BindingGroup]) -> bool:
    """Say whether the group's not-before already kills the token at the lock."""
    group = groups.get(token.grp)
    return group is not None and group.not_before is not None and token.issued_at < group.not_before
