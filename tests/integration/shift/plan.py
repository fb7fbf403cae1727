"""Writes the pilot, Anna's twelve visits and an alarm system into a server's database; prints their secrets.

Run as the pilot itself is run, with its options, in a process beside the server's files.
"""

from __future__ import annotations

import json
from datetime import timedelta

import django
from django.test.utils import override_settings
from django_scopes import scope

VISITS = ["4100", "4102", *(str(code) for code in range(4104, 4114))]
"""Twelve of Anna's team's clients, behind seven gates."""
EVERY = timedelta(minutes=35)
LONG = timedelta(minutes=25)


def plan() -> str:
    """Give Anna her day, let her team respond to alarms, and connect who raises them; returns its token."""
    from server.alarms.domain.systems import connect
    from server.alarms.models import AlarmTeam
    from server.care.models import Client, Shift, Visit
    from server.people.models import User
    from server.tenancy.models import Municipality

    municipality = Municipality.objects.get()
    with scope(municipality=municipality):
        shift = Shift.objects.get(staff__user__username="anna")
        shift.visits.all().delete()
        for order, code in enumerate(VISITS):
            begins = shift.starts_at + order * EVERY
            Visit.objects.create(
                municipality=municipality,
                shift=shift,
                client=Client.objects.get(alarm_code=code),
                starts_at=begins,
                ends_at=begins + LONG,
                order=order,
            )
        AlarmTeam.objects.create(municipality=municipality, team=shift.team, reach="all")
        actor = User.objects.get(username="jouren")
        return connect(municipality=municipality, name="Larmcentralen", actor=actor)[1]


def main() -> None:
    """Print the pilot's line, then the alarm system's token on one of its own."""
    from simulation.pilot.__main__ import main as write_the_pilot

    django.setup()
    with override_settings(PASSWORD_HASHERS=["tests.plugins.hashing.HashedOnce"]):
        write_the_pilot()
    print()
    print(json.dumps(plan()))


if __name__ == "__main__":
    main()
