"""Days at the ends of the calendar, and half characters: what arithmetic and encodings do not survive.

Business systems write the year 9999 for an end that nobody knows. One such row, a slip of the hand or an ill
will of one provider must not stop everybody's keys, nor make a page fail.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from server.access.decision import who_may_open
from server.access.domain.issue import issue_ahead
from server.access.models import Token
from server.care.models import CareAssignment, Shift
from server.people.models import StaffMember
from tests.server.issuer import Issuer
from tests.server.pages import address, coordinator_of, patrol_of
from tests.server.test_import import ASSIGNMENT, SHIFT, STAFF, System, troubles
from tests.server.world import NOW, SHIFT_END, SHIFT_START, World, make_shift, make_staff, make_team

LAST = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
FIRST = datetime(1, 1, 1, tzinfo=UTC)


def stored(issuer: Issuer, what: str) -> None:
    """Store, as from an older version, a shift or an employment of another provider beside ours."""
    team = make_team(issuer.municipality, "Privat Vård AB", "Grupp P")
    ends = date.max if what == "employment for ever" else None
    staff = make_staff(team, "Främling", employed_from=date.min, employed_to=ends)
    starts_at = FIRST if what == "shift from the first day" else SHIFT_START
    ends_at = LAST if what == "shift to the last day" else SHIFT_END
    make_shift(staff, team, starts_at=starts_at, ends_at=ends_at)


@pytest.mark.parametrize("what", ["shift to the last day", "shift from the first day", "employment for ever"])
def test_one_providers_row_stops_nobody_elses_keys(issuer: Issuer, what: str) -> None:
    stored(issuer, what)
    issue_ahead(municipality=issuer.municipality, at=NOW)
    doors = {issuer.world.gate.pk, issuer.world.apartment.pk}
    assert set(Token.objects.values_list("binding__door", flat=True)) == doors
    assert who_may_open(issuer.world.gate, at=NOW, until=SHIFT_END)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [("2026-11-23", "9999-12-31"), ("0001-01-01", "2026-11-23"), ("2026-11-23", "2200-01-01")],
)
def test_no_form_takes_such_a_day(
    issuer: Issuer, client: Browser, settings: Any, starts: str, ends: str
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    world = issuer.world
    with time_machine.travel(NOW, tick=False):
        client.force_login(coordinator_of(world.provider))
        hours = {"starts_at_0": starts, "starts_at_1": "07:00", "ends_at_0": ends, "ends_at_1": "23:59"}
        answer = client.post(address(Shift, "add"), {"staff": world.alice.pk, "team": world.team.pk, **hours})
        assert "mellan 1900 och 2199" in answer.content.decode()
        answer = client.post(
            address(StaffMember, "add"), {"name": "Nora", "employed_from": starts, "employed_to": ends}
        )
        assert "mellan 1900 och 2199" in answer.content.decode()
        hours = {"starts_at": f"{starts}T07:00", "ends_at": f"{ends}T07:00"}
        substitute = client.post(
            reverse("admin:access_substitute"), {"name": "Nora", "team": world.team.pk, **hours}
        )
        assert substitute.status_code == 200 and substitute.context["form"].errors
    assert not StaffMember.objects.filter(name="Nora").exists() and Shift.objects.count() == 1


@pytest.mark.parametrize(
    ("page", "column"),
    [
        ("passages_search", "start"),
        ("passages_search", "end"),
        ("passages_export", "end"),
        ("passages_visits", "day"),
        ("passages_visits", "through"),
        ("locks_workorder_day", "date"),
    ],
)
def test_no_page_fails_over_such_a_day(
    issuer: Issuer, client: Browser, settings: Any, page: str, column: str
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    client.force_login(patrol_of(issuer.municipality))
    for day in ("0001-01-01", "9999-12-31"):
        assert client.get(reverse(f"admin:{page}"), {column: day}).status_code == 200


@pytest.mark.parametrize(
    "moment",
    ["9999-12-31 23:59", "0001-01-01 00:00", "9999-12-31T23:59:00-12:00", "0001-01-01T00:00:00+12:00"],
)
def test_an_import_says_how_to_write_an_open_end(world: World, moment: str) -> None:
    with time_machine.travel(NOW, tick=False):
        system = System(world)
        assert system.send("staff", STAFF).status_code == 200
        for kind, row in (("shifts", SHIFT), ("assignments", ASSIGNMENT)):
            answer = system.send(kind, {**row, "ends_at": moment})
            assert (1, "ends_at") in troubles(answer)
            assert "Lämna ett öppet slut tomt." in answer.content.decode()
        answer = system.send("staff", {**STAFF, "external_id": "A-9", "employed_to": moment[:10]})
        assert troubles(answer) == [(1, "employed_to")]
    assert CareAssignment.objects.count() == 1


@pytest.mark.parametrize("body", [b'{"rows": [{"\\ud800": 1}]}', b'{"rows": [{"external_id": "\\uD800"}]}'])
def test_half_a_character_is_refused_in_words(world: World, body: bytes) -> None:
    with time_machine.travel(NOW, tick=False):
        headers = {"Authorization": f"ApiKey {System(world).token}"}
        answer = Browser().post(
            "/api/v1/import/staff", body, content_type="application/json", headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        whole = b'{"rows": [{"external_id": "\\ud83d\\ude00"}]}'
        answer = Browser().post(
            "/api/v1/import/staff", whole, content_type="application/json", headers=headers
        )
        assert answer.status_code == 422, "a pair is one whole character"
