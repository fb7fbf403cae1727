"""The audit trail: complete enough to read, impossible to edit."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model, QuerySet
from django.test import Client as Http
from django.urls import reverse

from server.audit import actions
from server.audit.domain import ActorMissingError, changes, record, snapshot
from server.audit.door import door_open
from server.audit.models import AuditEntry, ImmutableError
from server.care.models import Client
from server.people.models import User
from server.tenancy.models import RoleKey
from tests.server.pages import address, auditor_of, coordinator_of, patrol_of
from tests.server.world import NOW, World

ROOT = Path(__file__).resolve().parents[2]


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


class TestTheDatabaseItself:
    """What holds whoever asks, past every model of ours."""

    def changed(self, entry: AuditEntry, column: str) -> None:
        plain: QuerySet[AuditEntry] = QuerySet(AuditEntry)
        plain.filter(pk=entry.pk).update(**{column: {"a": 1} if column in ("before", "after") else "z"})

    @pytest.mark.parametrize("column", ["action", "reason", "object_id", "before"])
    def test_refuses_to_change_an_entry(self, entry: AuditEntry, column: str) -> None:
        with pytest.raises(DatabaseError, match="neither be changed nor deleted"), transaction.atomic():
            self.changed(entry, column)

    def test_has_one_door_for_personal_data_and_it_closes_again(self, entry: AuditEntry) -> None:
        with door_open():
            self.changed(entry, "before")
        assert AuditEntry.objects.get(pk=entry.pk).before == {"a": 1}
        with pytest.raises(DatabaseError), transaction.atomic(), door_open():
            self.changed(entry, "action")
        with pytest.raises(DatabaseError), transaction.atomic():
            self.changed(entry, "before")

    def test_refuses_to_delete_an_entry_where_it_can(self, entry: AuditEntry) -> None:
        plain: QuerySet[AuditEntry] = QuerySet(AuditEntry)
        if connection.vendor == "sqlite":  # empties tables between tests with DELETE; the models refuse alone
            return
        with pytest.raises(DatabaseError, match="neither be changed nor deleted"), transaction.atomic():
            plain.filter(pk=entry.pk).delete()


class TestTheAuditor:
    """Reads, filters, follows and takes along; changes nothing."""

    @pytest.fixture
    def auditor(self, everything: World, client: Http) -> Http:
        for number in range(3):
            record(
                action=actions.CHANGED,
                target=everything.client,
                actor=patrol(everything),
                before={"n": number},
            )
        record(action=actions.DELETED, target=everything.client, actor=patrol(everything), reason="=SUM(A1)")
        client.force_login(auditor_of(everything.municipality))
        return client

    def rows(self, answer: Any) -> list[list[str]]:
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text), delimiter=";"))[1:]

    @pytest.mark.parametrize(
        ("asked", "hits"),
        [
            ({"action": actions.DELETED}, 1),
            ({"acting_as": "patrol"}, 4),
            ({"object_type": "care.client"}, 4),
            ({"object_type": "care.client", "action": actions.CHANGED}, 3),
            ({"q": "jour"}, 4),
            ({"at__gte": "2100-01-01 00:00:00+00:00"}, 0),
        ],
    )
    def test_list_and_file_follow_the_filters(self, auditor: Http, asked: dict[str, str], hits: int) -> None:
        listed = auditor.get(address(AuditEntry, "changelist"), asked)
        assert listed.context["cl"].result_count == hits
        assert len(self.rows(auditor.get(reverse("admin:audit_auditentry_export"), asked))) == hits

    def test_the_file_holds_no_formulas_and_taking_it_is_recorded(self, auditor: Http) -> None:
        [row] = self.rows(auditor.get(reverse("admin:audit_auditentry_export"), {"action": actions.DELETED}))
        assert row[-1] == "'=SUM(A1)"
        taken = AuditEntry.objects.get(action="audit.exported")
        assert (taken.acting_as, taken.after) == ("auditor", {"action": actions.DELETED})

    def test_a_long_file_comes_in_pieces_without_loss(
        self, auditor: Http, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.audit.admin.PIECE", 2)
        rows = self.rows(auditor.get(reverse("admin:audit_auditentry_export"), {"acting_as": "patrol"}))
        assert len(rows) == 4 and len({tuple(row) for row in rows}) == 4

    def test_the_history_of_a_row_is_the_trail(self, auditor: Http, everything: World) -> None:
        answer = auditor.get(address(Client, "history", everything.client.pk), follow=True)
        assert answer.context["cl"].result_count == 4

    def test_others_get_no_file(self, everything: World, client: Http) -> None:
        client.force_login(coordinator_of(everything.provider))
        assert client.get(reverse("admin:audit_auditentry_export")).status_code == 403
        assert client.get(address(Client, "history", everything.client.pk)).status_code == 403


def patrol(world: World) -> User:
    return User.objects.filter(role="patrol").first() or patrol_of(world.municipality)


def test_every_action_has_words_in_every_process() -> None:
    """A worker that never founds a municipality still names it: the auditor reads all of the trail."""
    code = "import django; django.setup(); from server.audit import actions; print(*dict(actions.labels()))"
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    written = {
        slug
        for path in (ROOT / "server").rglob("*.py")
        for slug in re.findall(r'\bregister\(\s*"([a-z_]+\.[a-z_]+)"', path.read_text())
    }
    assert written and written <= set(ran.stdout.split())
