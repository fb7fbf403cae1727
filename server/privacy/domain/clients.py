"""Clients whose care has ended, and the signed papers of consents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from server.audit.redaction import redact
from server.care.models import CareAssignment, Client, ConsentDocument, Visit
from server.people.models import StaffMember, User
from server.privacy.domain.base import DataClass, not_shredded, note
from server.privacy.domain.people import NAMING, new_pseudonym
from server.privacy.rules import Times


class Clients(DataClass):
    """Alarm codes: only the patrol can tell who it is, with a door they are personal data all the same."""

    slug = "clients"
    label = _("Clients whose care has ended")
    holds = _("Alarm code, identity in business systems, the apartment door.")
    kept = _("Until some months after care ended; then code, identities and door are taken away.")
    claims = frozenset(
        {
            "care.Client.alarm_code",
            "care.Client.source",
            "care.Client.external_id",
            "care.CareAssignment.source",
            "care.CareAssignment.external_id",
            "care.Visit.source",
            "care.Visit.external_id",
        }
    )

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Nothing of a staff member; a client's own extract is made by alarm code where names are."""
        return ()

    def due(self, times: Times) -> QuerySet[Client]:
        """Clients whose care ended long enough ago."""
        return not_shredded(Client.objects.filter(ended_at__lt=times.left_before), self.slug)

    def shred(self, row: Client, *, at: datetime, actor: User | None) -> bool:
        """Take code, identities and door away; False while somebody still has the assignment."""
        going_on = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
        if CareAssignment.objects.filter(going_on, client=row).exists():
            return False
        row.alarm_code = new_pseudonym("Avslutad", Client.objects.all(), "alarm_code")
        row.source = row.external_id = ""
        row.door = None
        row.save()
        CareAssignment.objects.filter(client=row).update(source="", external_id="")
        Visit.objects.filter(client=row).update(source="", external_id="")
        redact(
            target=row,
            object_type="care.client",
            object_ids=[str(row.pk)],
            keys=NAMING | {"door"},
            put=row.alarm_code,
            actor=actor,
        )
        note(row, self.slug, at=at, actor=actor)
        return True


class Owners(DataClass):
    """Property owners and how to reach them: a company's, and now and then a person's."""

    slug = "owners"
    label = _("Property owners")
    holds = _("Name, telephone and e-mail address of the contact.")
    kept = _("As long as the owner has properties here; changed on the owner's own page.")
    claims = frozenset(
        {
            "places.PropertyOwner.name",
            "places.PropertyOwner.contact_phone",
            "places.PropertyOwner.contact_email",
            "places.PropertyOwner.source",
            "places.PropertyOwner.external_id",
        }
    )

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Nothing of a staff member."""
        return ()


class ConsentDocuments(DataClass):
    """The signed papers: they bear a name, and are needed for as long as the consent may be asked for."""

    slug = "consent_documents"
    label = _("Consents' documents")
    holds = _("The signed paper, sealed; a name and a signature are on it.")
    kept = _("Until some months after the consent ended or was withdrawn; then the paper is deleted.")
    claims: ClassVar[frozenset[str]] = frozenset()

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Nothing of a staff member."""
        return ()

    def due(self, times: Times) -> QuerySet[ConsentDocument]:
        """Papers of consents that ended long enough ago."""
        before = times.documents_before
        over = Q(consent__withdrawn_at__lt=before, consent__withdrawal_waits=False) | Q(
            consent__valid_to__lt=before
        )
        papers: QuerySet[ConsentDocument] = ConsentDocument.objects.filter(over).defer("sealed_content")
        return papers

    def shred(self, row: ConsentDocument, *, at: datetime, actor: User | None) -> bool:
        """Delete the paper; that there was one stays on record."""
        note(row, self.slug, at=at, actor=actor)
        row.delete()
        return True
