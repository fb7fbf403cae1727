"""What a person did: shifts, keys, passages, alarms, audit trail. Kept under the pseudonym, handed out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from server.access.models import ExtraRight, Revocation, Token
from server.alarms.models import AlarmOffer
from server.audit.actions import label_of
from server.audit.models import AuditEntry
from server.care.models import Shift, Visit
from server.locks.models import ServiceRight
from server.passages.models import Passage
from server.people.models import StaffMember
from server.privacy.domain.base import DataClass, moment

ROWS = 2000


class Shifts(DataClass):
    """When and where somebody worked."""

    slug = "shifts"
    label = _("Shifts and visits")
    holds = _("When and in which team somebody worked, and which clients were planned.")
    kept = _("As long as the business system plans them; under the pseudonym once the name is gone.")
    claims = frozenset({"care.Shift.source", "care.Shift.external_id"})

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return shifts and visits."""
        for shift in Shift.objects.filter(staff=staff).select_related("team").order_by("starts_at"):
            yield {
                "shift": moment(shift.starts_at),
                "to": moment(shift.ends_at),
                "team": shift.team.name,
                "external_id": shift.external_id,
                "cancelled": moment(shift.cancelled_at),
            }
        visits = Visit.objects.filter(shift__staff=staff).select_related("client").order_by("starts_at")
        for visit in visits.iterator(ROWS):
            yield {
                "visit": moment(visit.starts_at),
                "to": moment(visit.ends_at),
                "client": visit.client.alarm_code,
            }


class Keys(DataClass):
    """Which doors somebody could open, and why."""

    slug = "keys"
    label = _("Keys and rights")
    holds = _("Which doors could be opened when, rights given beside the plan, what was revoked.")
    kept = _("Under the pseudonym once the name is gone.")
    claims: ClassVar[frozenset[str]] = frozenset()

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return keys, extra rights and revocations."""
        tokens = Token.objects.filter(bearer__staff=staff).select_related("binding__door").order_by("pk")
        for token in tokens.defer("document").iterator(ROWS):
            yield {
                "door": str(token.binding.door),
                "from": moment(token.not_before),
                "to": moment(token.expires),
                "revoked": moment(token.revoked_at),
            }
        for right in ExtraRight.objects.filter(staff=staff).order_by("pk"):
            yield {
                "right": right.get_kind_display(),
                "from": moment(right.starts_at),
                "to": moment(right.ends_at),
                "reason": right.get_reason_display(),
            }
        for given in ServiceRight.objects.filter(installer__staff_member=staff).order_by("pk"):
            yield {
                "served": str(given.binding),
                "from": moment(given.issued_at),
                "to": moment(given.expires),
            }
        for revocation in Revocation.objects.filter(staff=staff).order_by("pk"):
            yield {"revoked": moment(revocation.at), "reason": revocation.get_reason_display()}


class Passages(DataClass):
    """What the doors told of somebody."""

    slug = "passages"
    label = _("Passages")
    holds = _("When which door was opened, locked or refused with whose key.")
    kept = _("The months that the municipality has set; then counts without persons.")
    claims = frozenset({"passages.Passage.detail", "passages.Passage.kind", "passages.Passage.reason"})

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return passages with the person's keys."""
        rows = Passage.objects.filter(bearer__staff=staff).order_by("happened_at", "pk")
        rows = rows.select_related("binding__door").defer("entry_bytes", "entry_hash")
        for passage in rows.iterator(ROWS):
            yield {
                "happened": moment(passage.happened_at),
                "known": moment(passage.known_at),
                "time_uncertain": passage.time_uncertain,
                "door": str(passage.binding.door) if passage.binding else None,
                "kind": passage.kind,
                "reason": passage.reason,
                "opened_before_known_revocation": passage.opened_before_known_revocation,
            }


class Alarms(DataClass):
    """Alarms somebody was asked to take."""

    slug = "alarms"
    label = _("Alarms")
    holds = _("Which alarms somebody was offered, on what grounds, and the answer.")
    kept = _("Under the pseudonym once the name is gone.")
    claims = frozenset({"alarms.AlarmOffer.grounds"})

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return offers and answers."""
        for offer in AlarmOffer.objects.filter(staff=staff).order_by("pk"):
            yield {
                "offered": moment(offer.offered_at),
                "answer": offer.answer,
                "answered": moment(offer.answered_at),
                "grounds": offer.grounds,
            }


class Trail(DataClass):
    """The audit trail: what somebody changed, and what was changed about somebody."""

    slug = "audit"
    label = _("Audit trail")
    holds = _("Who changed what, when and why; also searches that were exported.")
    kept = _("For good. When a person is pseudonymised, what names the person is taken out of the entries.")
    claims = frozenset(
        {
            "audit.AuditEntry.before",
            "audit.AuditEntry.after",
            "audit.AuditEntry.reason",
            "audit.AuditEntry.acting_as",
            "audit.AuditEntry.action",
            "audit.AuditEntry.object_type",
            "audit.AuditEntry.object_id",
        }
    )

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return entries about the person, and by the person."""
        about = AuditEntry.objects.filter(object_type="people.staffmember", object_id=str(staff.pk))
        by = AuditEntry.objects.filter(actor=staff.user) if staff.user_id else AuditEntry.objects.none()
        for entry in [*about.order_by("pk"), *by.order_by("pk").iterator(ROWS)]:
            yield {
                "at": moment(entry.at),
                "what": label_of(entry.action),
                "object": f"{entry.object_type} {entry.object_id}",
                "before": entry.before,
                "after": entry.after,
                "by_the_person": entry.actor_id is not None and entry.actor_id == staff.user_id,
            }
