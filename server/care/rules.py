"""Predicates about consents: what one covers. Pure."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from server.care.models import Consent
from server.places.models import Property


def given_on(consent: Consent) -> date:
    """Return the day a consent was signed; when that is not on record, the day it began to hold."""
    return consent.signed_on or timezone.localdate(consent.valid_from)


def covers(consent: Consent, estate: Property) -> bool:
    """Return whether an owner's consent for all properties is also for this one.

    It is for those the owner had when signing, and for later ones only when it says so. A property that has
    been the owner's for as long as anybody knows is always covered.
    """
    if consent.covers_later or estate.owner_since is None:
        return True
    return estate.owner_since <= given_on(consent)
