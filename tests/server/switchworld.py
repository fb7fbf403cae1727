"""Two providers who change places at a client's door, and a third behind the same gate."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.access.domain.issue import issue_ahead
from server.care.models import CareAssignment, Client
from server.people.models import Bearer, CareProvider, StaffMember, Team
from server.places.models import DoorPath
from server.switches.domain.drafts import Draft, facts_of, stands_of
from server.switches.domain.renewing import renew_all
from server.switches.domain.switching import decide_switch
from server.switches.models import ProviderSwitch
from tests.server.device import Device
from tests.server.issuer import Issuer, mount, real_phone
from tests.server.world import (
    NOW,
    SHIFT_END,
    SHIFT_START,
    make_bearer,
    make_client,
    make_door,
    make_shift,
    make_staff,
    make_team,
)


@dataclass
class SwitchWorld:
    """Norr (Alice) has client 4711; Syd (Bo) takes over; Väst (Cia) has 4712 behind the same gate."""

    issuer: Issuer
    syd: Team
    bo: StaffMember
    bo_bearer: Bearer
    vast: Team
    cia: StaffMember
    cia_bearer: Bearer
    neighbour: Client

    @property
    def norr(self) -> CareProvider:
        return self.issuer.world.provider

    def draft(self, *, at: datetime | None, now: datetime = NOW, **fields: Any) -> Draft:
        values: dict[str, Any] = {
            "from_provider": self.norr.pk,
            "to_provider": self.syd.provider_id,
            "clients": (self.issuer.world.client.pk,),
            "at": at,
            "teams": {"": self.syd.pk},
            **fields,
        }
        stands = stands_of(facts_of(Draft(**values), now=now))
        return Draft(**{"stands": stands, **values})

    def switch(self, *, at: datetime | None, now: datetime = NOW, **fields: Any) -> ProviderSwitch:
        made = decide_switch(
            draft=self.draft(at=at, now=now, **fields), form_key=secrets.token_hex(16), at=now, actor=None
        )
        renew_all(self.issuer.municipality, at=now)
        made.refresh_from_db()
        return made

    def issue(self, at: datetime = NOW) -> None:
        issue_ahead(municipality=self.issuer.municipality, at=at)


def _crew(issuer: Issuer, provider: str, group: str, name: str) -> tuple[Team, StaffMember, Bearer]:
    team = make_team(issuer.municipality, provider, group)
    staff = make_staff(team, name)
    bearer = make_bearer(staff)
    real_phone(bearer, secrets.token_hex(16))
    make_shift(staff, team, starts_at=SHIFT_START, ends_at=SHIFT_END)
    return team, staff, bearer


def make_switch_world(issuer: Issuer) -> SwitchWorld:
    world = issuer.world
    syd, bo, bo_bearer = _crew(issuer, "Hemtjänst Syd", "Grupp Syd", "Bo Berg")
    vast, cia, cia_bearer = _crew(issuer, "Hemtjänst Väst", "Grupp Väst", "Cia Ceder")
    beside = make_door(world.property, "apartment", number="1102")
    DoorPath.objects.create(municipality=world.municipality, apartment=beside, via=world.gate)
    neighbour, _assignment, _consent = make_client(beside, vast, "4712")
    mount(beside, Device(), name="Lås 3")
    return SwitchWorld(issuer, syd, bo, bo_bearer, vast, cia, cia_bearer, neighbour)


def more_care(world: SwitchWorld, team: Team, client: Client) -> CareAssignment:
    """Let `team` care for `client` too."""
    return CareAssignment.objects.create(
        municipality=team.municipality, client=client, provider=team.provider, team=team, starts_at=NOW
    )
