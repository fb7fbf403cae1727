"""`manage.py rotate_advert_keys`: begin new advert keys now, before the schedule would."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_scopes import scope

from server.locks.domain.rotation import begin, release, settle, under_way
from server.locks.models import Binding
from server.tenancy.models import Municipality


class Command(BaseCommand):
    """Begin, and take the steps that are due; the schedule takes the rest."""

    help = "Gives locks new advert keys: phones get them first, then the locks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the municipality and which locks."""
        parser.add_argument("slug")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--lock", action="append", default=[], metavar="NAME", help="begin at this lock")
        which.add_argument("--all", action="store_true", help="begin at every lock")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Begin where asked, and say how far all of them are."""
        municipality = Municipality.objects.filter(slug=options["slug"]).first()
        if municipality is None:
            raise CommandError(f"there is no municipality {options['slug']!r}")
        at = timezone.now()
        with scope(municipality=municipality):
            chosen = self._chosen(options["lock"], everything=options["all"])
            settled, released = settle(municipality, at=at), release(municipality, at=at)
            begun = begin(municipality, chosen, at=at)
            given, coming = under_way(municipality)
        self.stdout.write(f"begun {begun}, released {released}, settled {settled}")
        self.stdout.write(f"under way: {given} with phones only, {coming} on their way to the lock")

    @staticmethod
    def _chosen(names: list[str], *, everything: bool) -> list[int]:
        rows = Binding.objects.filter(ends_at__isnull=True)
        found = dict(rows.values_list("lock__name", "pk"))
        unknown = sorted(set(names) - found.keys())
        if unknown:
            raise CommandError(f"no such lock on a door: {', '.join(unknown)}")
        return sorted(found.values()) if everything else [found[name] for name in names]
