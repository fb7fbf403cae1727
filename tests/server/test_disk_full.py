"""The database's disk is full: the caller is told in words, and what was to be stored can come again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client as Http

from server.passages.models import Passage, SealedBatch
from server.places.models import Door
from tests.server.issuer import Issuer, Phone

WRITES = ("INSERT", "UPDATE", "DELETE")


def full(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    """What SQLite says; PostgreSQL's words differ, its class of error does not."""
    if sql.startswith(WRITES):
        raise OperationalError("database or disk is full")
    return execute(sql, *rest)


@pytest.fixture(autouse=True)
def as_served(client: Http) -> None:
    """Let the client see the answer that a phone would get, not the exception behind it."""
    client.raise_request_exception = False


def test_logs_are_not_taken_and_come_again(issuer: Issuer, phone: Phone) -> None:
    sealed = issuer.gate_lock.sealed()
    with connection.execute_wrapper(full):
        answer = phone.hand_in(sealed)
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert answer.json()["message_sv"] and answer.json()["message_en"]
    assert not SealedBatch.objects.exists()
    assert not Passage.objects.exists()
    (again,) = phone.hand_in(sealed).json()["results"]
    assert (again["status"], again["new_passages"]) == ("stored", len(issuer.gate_lock.entries))


def test_a_person_at_a_page_reads_words(everything: Any, desk: Http) -> None:
    door = Door.objects.first()
    with connection.execute_wrapper(full):
        answer = desk.get(f"/admin/places/door/{door.pk}/change/")
        form = {"owner": door.property.owner_id, "designation": "X 1"}
        saved = desk.post("/admin/places/property/add/", form)
    assert answer.status_code == 200, "reading needs no room"
    assert saved.status_code == 500
    assert "Något gick fel på servern" in saved.content.decode()
