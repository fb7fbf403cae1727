"""The audit trail: complete enough to read, impossible to edit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model

from server.audit import actions
from server.audit.domain import ActorMissingError, changes, record, snapshot
from server.audit.models import AuditEntry, ImmutableError
from server.people.models import User
from server.tenancy.models import RoleKey
from tests.server.world import NOW, World


@pytest.fixture
def entry(world: World) -> AuditEntry:
    return AuditEntry.objects.create(
        municipality=world.municipality, acting_as="server", action="x", object_type="a.b", object_id="1"
    )


def change_and_save(entry: AuditEntry) -> None:
    entry.action = "y"
    entry.save()


FORBIDDEN: dict[str, Callable[[AuditEntry], Any]] = {
    "save": change_and_save,
    "delete": lambda entry: entry.delete(),
    "update": lambda _: AuditEntry.objects.update(action="y"),
    "update unscoped": lambda _: AuditEntry.unscoped.update(action="y"),
    "filtered update": lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(action="y"),
    "queryset delete": lambda _: AuditEntry.objects.all().delete(),
    "unscoped delete": lambda _: AuditEntry.unscoped.all().delete(),
    "base manager": lambda _: AuditEntry._base_manager.update(action="y"),
    "bulk_update": lambda entry: AuditEntry.objects.bulk_update([entry], ["action"]),
    "update_or_create": lambda entry: AuditEntry.objects.update_or_create({"action": "y"}, pk=entry.pk),
    "save_base": lambda entry: entry.save(force_update=True),
}


@pytest.mark.parametrize("way", FORBIDDEN)
def test_entries_cannot_be_changed_or_deleted(entry: AuditEntry, way: str) -> None:
    with pytest.raises(ImmutableError):
        FORBIDDEN[way](entry)
    assert AuditEntry.objects.get(pk=entry.pk).action == "x"


def test_an_entry_tells_who_what_and_why(world: World) -> None:
    chief = User.objects.create_superuser("chef", municipality=world.municipality)
    before = snapshot(world.client)
    world.client.paused_at = NOW
    earlier, later = changes(before, snapshot(world.client))
    entry = record(
        action=actions.CHANGED,
        target=world.client,
        actor=chief,
        before=earlier,
        after=later,
        reason="hospital",
    )
    assert (entry.municipality, entry.actor, entry.acting_as) == (world.municipality, chief, "administrator")
    assert (entry.object_type, entry.object_id) == ("care.client", str(world.client.pk))
    assert (entry.before, entry.after) == ({"paused_at": None}, {"paused_at": NOW.isoformat()})


def test_only_registered_actions_are_recorded(world: World) -> None:
    with pytest.raises(actions.UnknownActionError):
        record(action="not.registered", target=world.client)
    with pytest.raises(ValueError, match="registered already"):
        actions.register(actions.CHANGED, "again")


def test_what_a_person_did_needs_the_person(world: World) -> None:
    with pytest.raises(ActorMissingError):
        record(action=actions.CHANGED, target=world.client)


@pytest.mark.parametrize("name", ["password", "sealed_private_key", "document", "device_token_hash"])
def test_snapshots_leave_out_secrets(world: World, name: str) -> None:
    user = User.objects.create_user("alice", password="hemligt", municipality=world.municipality)
    key = RoleKey(municipality=world.municipality, role="token", kid=b"\0\1", sealed_private_key=b"hemligt")
    rows: list[Model] = [user, key, world.phone]
    assert not any(name in snapshot(row) for row in rows)
