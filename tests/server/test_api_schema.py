"""The OpenAPI document: valid, served with its own static files, and true of every address."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import Client as Http
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, settings
from schemathesis import checks

from server.config.api_urls import urlpatterns
from tests.server.issuer import Issuer, Phone

SCHEMA = "/api/v1/schema/?format=json"
EXAMPLES = 25


@pytest.fixture
def document(db: None, client: Http) -> dict[str, Any]:
    found: dict[str, Any] = client.get(SCHEMA).json()
    return found


def test_the_document_is_valid_and_complete(document: dict[str, Any]) -> None:
    validate_schema(document)
    documented = {path.removeprefix("/api/v1/") for path in document["paths"]}
    served = {str(one.pattern) for one in urlpatterns} - {"schema/", "docs/"}
    assert documented == served


def test_the_document_is_made_without_warnings(db: None) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")


def test_every_refusal_has_the_same_form(document: dict[str, Any]) -> None:
    form = {"$ref": "#/components/schemas/Problem"}
    for path in document["paths"].values():
        for operation in path.values():
            refused = {status: one for status, one in operation["responses"].items() if status != "200"}
            assert refused
            assert all(one["content"]["application/json"]["schema"] == form for one in refused.values())


def test_the_pages_about_it_are_served(db: None, client: Http) -> None:
    assert client.get("/api/v1/docs/").status_code == 200


@pytest.fixture
def caller(issuer: Issuer, phone: Phone) -> Phone:
    phone.sign_in()
    return phone


@pytest.fixture
def api(caller: Phone) -> Any:
    """The schema as schemathesis reads it, from the application itself."""
    return schemathesis.openapi.from_wsgi(SCHEMA, get_wsgi_application())


wrapped = schemathesis.pytest.from_fixture("api")


@wrapped.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_no_input_breaks_it_and_every_answer_is_documented(case: Any, caller: Phone) -> None:
    cache.clear()  # rate limits are tested elsewhere
    headers = {"Authorization": f"Device {caller.device_token}", "X-Session-Token": caller.session}
    case.headers.update(headers)
    case.call_and_validate(
        checks=[
            checks.not_a_server_error,
            checks.load_all_checks() or checks.CHECKS.get_one("response_schema_conformance"),
            checks.CHECKS.get_one("status_code_conformance"),
            checks.CHECKS.get_one("content_type_conformance"),
        ]
    )
