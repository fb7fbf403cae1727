"""What is saved one by one, in the administration mostly, and changes what a lock is told."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from server.care.models import Client, Consent
from server.locks.domain.news import note_news
from server.locks.models import Binding
from server.places.models import Door
from server.tenancy.models import Manifest


@receiver(post_save, sender=Door)
def door_saved(instance: Door, created: bool, **_kwargs: Any) -> None:
    """Its kind, or when its bolt goes back, may be another."""
    if not created:
        note_news(Binding.unscoped.filter(door=instance))


@receiver(post_save, sender=Consent)
@receiver(post_delete, sender=Consent)
def consent_saved(instance: Consent, **_kwargs: Any) -> None:
    """A client may have allowed, or no longer allows, that openings by hand are counted."""
    if instance.client_id is not None:
        note_news(Binding.unscoped.filter(door__clients=instance.client_id))


@receiver(post_save, sender=Client)
def client_saved(instance: Client, **_kwargs: Any) -> None:
    """Whoever moves in has a say in whether openings by hand are counted there."""
    if instance.door_id is not None:
        note_news(Binding.unscoped.filter(door=instance.door_id))


@receiver(post_save, sender=Manifest)
def manifest_saved(instance: Manifest, **_kwargs: Any) -> None:
    """Every lock has to hear of new keys."""
    note_news(Binding.unscoped.filter(municipality=instance.municipality_id))
