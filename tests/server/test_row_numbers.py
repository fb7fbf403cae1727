"""Row numbers from addresses and forms: whatever they are, the answer is a page or a 404, never a fault."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client as Browser

from tests.server.issuer import Issuer
from tests.server.pages import patrol_of
from tests.server.world import NOW

pytestmark = pytest.mark.once

NONSENSE = ["9" * 5000, "9" * 40, "٣", "-1", "1e3", "abc"]
ASKED = [
    "/admin/who-may-open/?door={}",
    "/admin/who-may-open/?client={}",
    "/admin/who-may-open/?staff={}",
    "/admin/passages/deviation/report/?door={}",
    "/admin/passages/passage/visits/?from={}",
    "/admin/locks/workorder/plan/?property={}",
    "/admin/alarms/alarm/{}/change/",
    "/admin/switches/providerswitch/{}/change/",
]


@pytest.fixture
def desk(issuer: Issuer, client: Browser, settings: Any) -> Any:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW, tick=False):
        client.force_login(patrol_of(issuer.municipality))
        yield client


@pytest.mark.parametrize("number", NONSENSE)
@pytest.mark.parametrize("address", ASKED)
def test_a_number_that_is_no_rows_is_no_fault(desk: Browser, address: str, number: str) -> None:
    assert desk.get(address.format(number)).status_code in (200, 404)
