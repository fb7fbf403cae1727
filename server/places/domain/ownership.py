"""A property that changes hands: from that day the new owner's consents count, and the old owner's no more.

A consent for one property stays with it until somebody withdraws it: it is about the house. One for all of an
owner's properties goes with the owner; the new owner's covers the house only if it was signed after that day
or says that it also covers properties added later.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import changes, record, snapshot
from server.people.models import User
from server.places.models import Property, PropertyOwner
from server.tenancy.scoping import whole_municipality

SOLD = actions.register("places.property_changed_hands", _("property changed hands"))


@whole_municipality()
@transaction.atomic
def change_owner(*, estate: Property, owner: PropertyOwner, since: date, actor: User | None) -> Property:
    """Give a property to another owner from a day on; the same owner again changes nothing."""
    row: Property = Property.objects.select_for_update(no_key=True).get(pk=estate.pk)
    if row.owner_id == owner.pk:
        return row
    before = snapshot(row)
    row.owner, row.owner_since = owner, since
    row.full_clean(validate_unique=False)
    row.save(update_fields=["owner", "owner_since"])
    earlier, later = changes(before, snapshot(row))
    record(action=SOLD, target=row, actor=actor, before=earlier, after=later)
    return row
