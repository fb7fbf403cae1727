"""`manage.py generate_city`: write a made-up municipality of any size into the database."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from server.city.generate import City, generate
from server.city.size import CITY, PILOT, city
from server.config import statistics
from server.tenancy.models import Municipality

DAY_SHIFTS_BEGIN = 7


class Command(BaseCommand):
    """Generate a city, or the pilot; for measuring and showing, never beside a real municipality."""

    help = "Write a made-up municipality with locks, keys, plan and logs; the same seed gives the same one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take size, seed and where the sign-ins go."""
        size = parser.add_mutually_exclusive_group()
        size.add_argument("--clients", type=int, default=CITY, metavar="N", help=f"default {CITY}")
        size.add_argument("--pilot", action="store_true", help="35 clients, 45 locks, 11 owners, 10 staff")
        parser.add_argument("--seed", type=int, default=1, metavar="S")
        parser.add_argument("--slug", default="", help="short name of the municipality")
        parser.add_argument("--at", default="", metavar="ISO", help="the instant that counts as now")
        parser.add_argument(
            "--working-now", action="store_true", help="let day shifts begin an hour ago, whatever the hour"
        )
        parser.add_argument("--sign-ins", type=Path, metavar="FILE", help="write sign-ins here, not out loud")
        parser.add_argument("--yes", action="store_true", help="also where a real server seems to be")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Refuse what would hurt, then generate and tell."""
        pilot: bool = options["pilot"]
        size = PILOT if pilot else city(options["clients"])
        slug = options["slug"] or ("piloten" if pilot else "storstad")
        if not pilot and options["clients"] < 10:
            raise CommandError("a city has at least ten clients")
        self._refuse_harm(slug, yes=options["yes"])
        at = self._instant(options["at"])
        begun = perf_counter()
        made = generate(
            slug=slug,
            name="Pilotens kommun" if pilot else "Storstads kommun",
            size=size,
            seed=options["seed"],
            at=at,
            morning=_morning(at, now=options["working_now"]),
            tell=lambda line: self._tell(begun, line),
        )
        statistics.refresh()
        self.stdout.write(
            f"{made.municipality.name}: {sum(made.counts.values())} rows in {perf_counter() - begun:.0f} s"
        )
        self._hand_over(made, options["sign_ins"])

    def _tell(self, begun: float, line: str) -> None:
        self.stderr.write(f"[{perf_counter() - begun:6.1f} s] {line}")

    @staticmethod
    def _refuse_harm(slug: str, *, yes: bool) -> None:
        if Municipality.objects.filter(slug=slug).exists():
            raise CommandError(f"there is a municipality {slug!r} already; nothing is written into it")
        if yes:
            return
        if not settings.LOCAL_ONLY or not settings.EMBEDDED:
            raise CommandError("these are a real server's settings; say --yes to generate there all the same")
        if Municipality.objects.exists():
            raise CommandError("there is a municipality already; say --yes to put another beside it")

    @staticmethod
    def _instant(text: str) -> datetime:
        if not text:
            return timezone.now()
        instant = parse_datetime(text)
        if instant is None:
            raise CommandError(f"not an instant in ISO 8601: {text!r}")
        return instant if timezone.is_aware(instant) else timezone.make_aware(instant)

    def _hand_over(self, made: City, path: Path | None) -> None:
        told = [asdict(one) for one in made.sign_ins]
        if path is None:
            for one in told:
                self.stdout.write("{role:15} {username:28} {password}  TOTP {totp_secret}".format(**one))
            return
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file, indent=2)


def _morning(at: datetime, *, now: bool) -> datetime:
    """Return when today's day shifts begin."""
    if now:
        return at.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    local = timezone.localtime(at)
    return local.replace(hour=DAY_SHIFTS_BEGIN, minute=0, second=0, microsecond=0)
