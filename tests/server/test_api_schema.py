"""The OpenAPI document: valid, served with its own static files, and true of every address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client as Http
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.alarms.domain.systems import connect
from server.config.api_urls import urlpatterns
from server.integrations.domain.keys import make_key
from server.integrations.models import Kind
from server.people.models import User
from tests.server.issuer import Issuer, Phone, give_sign_in
from tests.server.world import NOW, make_staff

pytestmark = pytest.mark.once

SCHEMA = "/api/v1/schema/?format=json"
EXAMPLES = 25
SYSTEMS_CALL = frozenset({"alarms", "alarms/{alarm_id}", "alarms/{alarm_id}/end"})
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def document(db: None, client: Http) -> dict[str, Any]:
    found: dict[str, Any] = client.get(SCHEMA).json()
    return found


def test_the_document_is_valid_and_complete(document: dict[str, Any]) -> None:
    validate_schema(document)
    documented = {path.removeprefix("/api/v1/") for path in document["paths"]}
    addresses = {re.sub(r"<\w+:(\w+)>", r"{\1}", str(one.pattern)) for one in urlpatterns}
    served = addresses - {"schema/", "docs/"}
    assert documented == served


def test_the_document_is_made_without_warnings(db: None) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")


def test_every_refusal_has_the_same_form(document: dict[str, Any]) -> None:
    form = {"$ref": "#/components/schemas/Problem"}
    for path in document["paths"].values():
        for operation in path.values():
            refused = {status: one for status, one in operation["responses"].items() if status[0] != "2"}
            assert refused
            assert all(one["content"]["application/json"]["schema"] == form for one in refused.values())


def test_the_pages_about_it_are_served(db: None, client: Http) -> None:
    assert client.get("/api/v1/docs/").status_code == 200


def test_signing_in_is_described_too(db: None, client: Http) -> None:
    paths = client.get("/_allauth/openapi.json").json()["paths"]
    assert {"/_allauth/app/v1/auth/login", "/_allauth/app/v1/auth/2fa/authenticate"} <= set(paths)
    assert not [path for path in paths if path.startswith("/_allauth/browser/")]
    assert client.get("/_allauth/openapi.html").status_code == 404, "it would load scripts from elsewhere"


@contextmanager
def one_connection() -> Iterator[None]:
    """Let the application keep the test's own connection, in which everything is rolled back."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def _key(issuer: Issuer) -> str:
    actor = User.objects.create_user("kim", municipality=issuer.world.municipality)
    scopes = list(Kind.values)
    return make_key(
        municipality=issuer.world.municipality, name="P", source="p", scopes=scopes, actor=actor, at=NOW
    )[1]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "info"),
        ("POST", "enrol"),
        ("POST", "sync"),
        ("POST", "logs"),
        ("POST", "fresh-time"),
        ("POST", "alarms"),
        ("GET", "alarms/{alarm_id}"),
        ("POST", "alarms/{alarm_id}/end"),
        ("POST", "alarms/{alarm_id}/take"),
        ("POST", "alarms/{alarm_id}/decline"),
        ("POST", "alarms/{alarm_id}/hand-over"),
        ("POST", "installer/commission"),
        ("POST", "installer/commissioned"),
        ("POST", "installer/move"),
        ("POST", "installer/cancel"),
        ("POST", "installer/battery-changed"),
        ("POST", "installer/remove"),
        ("POST", "installer/retire"),
        ("GET", "installer/orders"),
        ("POST", "installer/orders/{order_id}/done"),
        ("POST", "deviations"),
        ("POST", "import/{kind}"),
    ],
)
def test_no_input_breaks_it_and_every_answer_is_documented(
    issuer: Issuer, phone: Phone, method: str, path: str
) -> None:
    give_sign_in(make_staff(issuer.world.team, "Ivar Installatör"), "ivar", role="installer")
    phone.sign_in("ivar" if path.startswith("installer") else "alice")
    caller = f"Device {phone.device_token}"
    if path in SYSTEMS_CALL:
        actor = User.objects.create_user("petra", municipality=issuer.world.municipality)
        caller = f"AlarmSystem {connect(municipality=issuer.world.municipality, name='A', actor=actor)[1]}"
    if path.startswith("import"):
        caller = f"ApiKey {_key(issuer)}"
    with one_connection():
        api = schemathesis.openapi.from_wsgi(SCHEMA, get_wsgi_application())
    operation = api[f"/api/v1/{path}"][method]

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def conforms(case: Case) -> None:
        cache.clear()  # rate limits are tested elsewhere
        case.headers = {
            **(case.headers or {}),
            "Authorization": caller,
            "X-Session-Token": phone.session,
            "Accept-Encoding": "identity",  # called in this process, nothing would unpack the answer
        }
        case.call_and_validate(checks=CHECKS)

    with one_connection():
        conforms()


def test_unknown_address_answers_in_the_form_of_the_api(client: Http, db: None) -> None:
    answer = client.get("/api/v1/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get("/nowhere").headers["Content-Type"].startswith("text/html")
