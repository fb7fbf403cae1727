"""All classes, what they claim, and the register extract of one person."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.people.models import StaffMember, User
from server.privacy.domain.base import DataClass
from server.privacy.domain.clients import Clients, ConsentDocuments, Owners
from server.privacy.domain.people import EnrolmentCodes, SignIns, Staff
from server.privacy.domain.work import Alarms, Keys, Passages, Shifts, Trail
from server.tenancy.scoping import whole_municipality

EXTRACTED = actions.register("privacy.extracted", _("register extract made"), needs_actor=True)

CLASSES: Sequence[DataClass] = (
    Staff(),
    SignIns(),
    EnrolmentCodes(),
    Clients(),
    ConsentDocuments(),
    Owners(),
    Shifts(),
    Keys(),
    Passages(),
    Alarms(),
    Trail(),
)

NOT_PERSONAL: Mapping[str, str] = {
    "tenancy.ManifestDraft.leaked": "ids of keys",
    "people.CareProvider.name": "a company",
    "people.CareProvider.source": "a company",
    "people.CareProvider.external_id": "a company",
    "people.Team.name": "a working group",
    "people.Team.source": "a working group",
    "people.Team.external_id": "a working group",
    "people.Phone.model": "a product's name",
    "people.Phone.app_version": "a version number",
    "access.StandingRight.areas": "areas of the city",
    "alarms.AlarmSystem.name": "a system",
    "alarms.AlarmSystem.token": "a system",
    "alarms.AlarmCall.external_id": "an alarm's number in the alarm system",
    "integrations.ApiKey.beginning": "the first characters of a system's key",
    "integrations.ApiKey.name": "a system",
    "integrations.ApiKey.scopes": "what a system may do",
    "integrations.ApiKey.source": "a system",
    "integrations.ImportRun.source": "a system",
    "passages.SealedBatch.code": "a reason code",
    "switches.ProviderSwitch.form_key": "a form's random key",
    "switches.SwitchedClient.before": "assignments before the switch, by number",
    "switches.GateNeighbour.before": "counts of keys",
    "switches.GateNeighbour.after": "counts of keys",
}
"""Text fields of models that have to do with people, and why none of them is about a person."""


@whole_municipality()
def extract(staff: StaffMember, *, at: datetime) -> dict[str, Any]:
    """Return everything that is held of a person, by class."""
    return {
        "made_at": at.isoformat(),
        "municipality": staff.municipality.name,
        "person": staff.name,
        "classes": [
            {
                "class": one.slug,
                "name": str(one.label),
                "holds": str(one.holds),
                "kept": str(one.kept),
                "rows": [dict(row) for row in one.export(staff)],
            }
            for one in CLASSES
        ],
    }


def extract_file(staff: StaffMember, *, at: datetime, actor: User) -> bytes:
    """Return the extract as a zip: once for people, once for machines; that it was made is on record."""
    found = extract(staff, at=at)
    record(action=EXTRACTED, target=staff, actor=actor)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("registerutdrag.json", json.dumps(found, ensure_ascii=False, indent=1))
        archive.writestr("registerutdrag.html", render_to_string("privacy/extract.html", {"found": found}))
    return written.getvalue()
