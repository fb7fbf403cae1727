"""The server's JSON, hostile or broken: a `server_error` and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile.engine import answers
from mobile.engine.errors import EngineError, ServerError
from mobile.engine.state import Alarm, AlarmStage, DoorKind

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
FIELDS = ["server_time", "cursor", "manifest", "shift", "visits", "doors", "rights", "removed_rights"]
FIELDS += ["alarms", "removed_doors", "bulletins", "support", "minimum_app_version"]


def _good() -> dict[str, Any]:
    return {
        "server_time": 1_790_000_000,
        "minimum_app_version": "1.0.0",
        "cursor": "c1",
        "manifest": None,
        "shift": None,
        "visits": [{"id": 1, "starts_at": 1, "ends_at": 2, "alarm_code": "4711", "door_ids": [1, 2]}],
        "alarms": [
            {
                "id": 7,
                "alarm_code": "4711",
                "door_ids": [1, 2],
                "state": "offered",
                "raised_at": 1,
                "respond_by": 46,
                "expires": 1800,
            }
        ],
        "doors": [{"id": 1, "kind": "gate", "address": "Storgatan 1", "binding": None}],
        "rights": [],
        "removed_rights": ["AAAAAAAAAAA"],
        "removed_doors": [9],
        "bulletins": [],
        "support": None,
    }


def test_a_good_answer_is_read() -> None:
    read = answers.sync_answer(_good())
    assert read.visits[0].door_ids == ("1", "2")
    assert read.alarms == (Alarm("7", "4711", ("1", "2"), AlarmStage.OFFERED, 1, 46, 1800),)
    assert read.doors[0].kind is DoorKind.GATE
    assert read.doors[0].binding == b""
    assert read.removed_rights == (bytes(8),)
    assert read.removed_doors == ("9",)


def test_a_server_that_knows_no_alarms_is_understood() -> None:
    body = _good()
    del body["alarms"]
    assert answers.sync_answer(body).alarms == ()


def test_an_alarm_of_a_later_servers_state_is_no_reason_to_lose_the_others() -> None:
    body = _good()
    body["alarms"].append({**body["alarms"][0], "id": 8, "state": "escalated"})
    assert [alarm.id for alarm in answers.sync_answer(body).alarms] == ["7"]


def test_a_door_kind_of_a_later_server_is_no_reason_to_lose_the_others() -> None:
    body = _good()
    body["doors"][0]["kind"] = "garage"
    assert answers.sync_answer(body).doors[0].kind is DoorKind.COMMON


def test_the_cursor_of_a_night_patrol_is_read_and_one_without_end_is_not() -> None:
    """It grows with every right: 4 000 need about 100 000 characters, and 160 are past any ordinary text."""
    for length in (4_001, 100_000, answers.MAX_CURSOR):
        assert answers.sync_answer(_good() | {"cursor": "x" * length}).cursor == "x" * length
    for bad in ("x" * (answers.MAX_CURSOR + 1), "two words", "å", 7):
        with pytest.raises(ServerError):
            answers.sync_answer(_good() | {"cursor": bad})
    for absent in (None, ""):
        assert answers.sync_answer(_good() | {"cursor": absent}).cursor is None


@given(JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        answers.sync_answer(value)
    except ServerError as error:
        assert error.code == "server_error"


@given(st.sampled_from(FIELDS), JSON)
def test_any_value_in_any_field_is_read_or_refused(name: str, value: Any) -> None:
    try:
        answers.sync_answer(_good() | {name: value})
    except ServerError as error:
        assert error.code == "server_error"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cursor", "\ud800"),
        ("removed_doors", ["\udfff"]),
        ("removed_doors", [{}]),
        ("server_time", 2**32),
        ("server_time", -1),
        ("server_time", True),
        ("visits", [{"id": 1, "starts_at": 2**40, "ends_at": 2, "door_ids": []}]),
        ("visits", [{"id": 1, "starts_at": 1, "ends_at": 2, "door_ids": [[1]]}]),
        ("alarms", [{"id": 7, "alarm_code": "4711", "door_ids": [], "state": "taken"}]),
        ("alarms", [{"state": []}]),
        ("visits", [{"id": 10**400, "starts_at": 1, "ends_at": 2, "door_ids": []}]),
    ],
)
def test_what_could_not_be_stored_or_shown_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ServerError):
        answers.sync_answer(_good() | {name: value})


@pytest.mark.parametrize("text", ["====", "AAA=", "å", "A", "AA AA", "A" * 50_000, 7, None, b"AA", "AA+/"])
def test_what_is_not_base64url_is_refused(text: Any) -> None:
    with pytest.raises(EngineError):
        answers.blob(text, "field")


@given(st.binary(max_size=200))
def test_bytes_survive_the_way(data: bytes) -> None:
    assert answers.blob(answers.text_of(data), "field") == data
