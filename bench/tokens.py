"""Tokens issued and stored a second, beside bare Ed25519 signatures a second on the same core.

The pilot municipality with all its locks; a crowd of staff in one team, each with a phone and a shift, is
issued for at once: the decision, the signatures and the rows are all in the time.
"""

import secrets
import statistics
from datetime import timedelta
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.database import fresh_database
from bench.output import emit
from bench.results import Figure, median_seconds

CROWD = 40
ROUNDS = 5
SIGNATURES = 2000
MESSAGE_BYTES = 120
"""About what is signed for one token: its claims with COSE's structure around them."""


def bare_signatures_a_second() -> float:
    """The library's fastest path: one key object, raw bytes."""
    key = Ed25519PrivateKey.generate()
    message = bytes(MESSAGE_BYTES)
    seconds = median_seconds(lambda: [key.sign(message) for _ in range(SIGNATURES)], rounds=5)
    return SIGNATURES / seconds


def hire(pilot: Any, number: int) -> None:
    """Give one more person of the first team a phone of its own and a shift from now on."""
    from django.utils import timezone  # noqa: PLC0415 - Django is set up only in `measure`

    from server.care.models import Shift  # noqa: PLC0415
    from server.people.domain.enrolment import enrol, make_enrolment_code  # noqa: PLC0415
    from server.people.models import StaffMember  # noqa: PLC0415

    now = timezone.now()
    begins = now.replace(second=0, microsecond=0)  # shifts begin together, as they do in the morning
    team = next(iter(pilot.teams.values()))
    common = {"municipality": pilot.municipality, "provider": team.provider}
    staff = StaffMember.objects.create(
        **common, name=f"Medarbetare {number}", employed_from=now.date() - timedelta(days=1)
    )
    ends = begins + timedelta(hours=8)
    Shift.objects.create(**common, staff=staff, team=team, starts_at=begins, ends_at=ends)
    _row, code = make_enrolment_code(staff=staff)
    enrol(code=code, key_type=1, public_key=secrets.token_bytes(32), at=now, app_version="1.0.0")


def measure() -> list[Figure]:
    """Issue for a new crowd in every round."""
    with fresh_database():
        from django.utils import timezone  # noqa: PLC0415
        from django_scopes import scope  # noqa: PLC0415

        from server.access.domain.issue import issue_ahead  # noqa: PLC0415
        from server.access.models import Token  # noqa: PLC0415
        from server.care.models import Shift  # noqa: PLC0415
        from server.tenancy.domain.keys import found_municipality  # noqa: PLC0415
        from simulation.pilot import layout  # noqa: PLC0415
        from simulation.pilot.fill import fill  # noqa: PLC0415
        from tests.server.device import Device  # noqa: PLC0415
        from tests.server.issuer import mount  # noqa: PLC0415

        now = timezone.now()
        municipality = found_municipality(slug="lindvik", name="Lindvik", at=now).municipality
        pilot = fill(municipality, now=now)
        rates = []
        with scope(municipality=municipality):
            consented = {house.address for house in layout.houses() if house.consented}
            doors = [door for address, door in pilot.gates.items() if address in consented]
            for door in [*doors, *pilot.apartments.values()]:
                mount(door, Device(), at=now)
            for number in range(ROUNDS + 1):
                for person in range(CROWD):
                    hire(pilot, number * CROWD + person)
                begun = perf_counter()
                signed = issue_ahead(municipality=municipality, at=timezone.now()).signed
                rates.append(signed / (perf_counter() - begun))
                Token.objects.all().delete()
                Shift.objects.all().delete()
    issued = statistics.median(rates[1:])
    bare = bare_signatures_a_second()
    return [
        Figure(
            "tokens.ratio_to_bare_signing",
            issued / bare,
            "×",
            "≥ 0.3",
            f"{issued:.0f} tokens/s issued and stored, {bare:.0f} bare signatures/s",
        )
    ]


if __name__ == "__main__":
    emit(measure())
