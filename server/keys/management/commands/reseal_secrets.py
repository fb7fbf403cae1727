"""`manage.py reseal_secrets`: seal everything at rest under the first of KEY_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from server.keys.domain.resealing import reseal_all


class Command(BaseCommand):
    """Reseal; afterwards the older keys can be taken out of the settings."""

    help = "Seals role keys, advert keys, consent documents and one-time code secrets under the first key."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Say how many of each kind were under an older key."""
        for name, count in reseal_all().items():
            self.stdout.write(f"{name}: {count} sealed anew")
        self.stdout.write("Everything rests under the first key. Older ones are needed for back-ups only.")
