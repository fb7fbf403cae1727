"""The link of an enrolment QR code: read strictly, and the server must have the roots that it names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile.engine import deeplink
from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import EngineError, InsecureServerError, ServerError
from mobile.engine.setup import Setup
from mobile.engine.state import Stage
from mobile.engine.storage.vaultfile import Cost
from tests.mobile.issuing import CODE, PIN, URL, SmallServer

ROOT = "9f3a61c4e07b25d8" * 4
GOOD = {"server": "https://nyckel.kommunen.se", "code": "K7QF-2M9X-4TRB", "root": ROOT}
CHEAP = Cost(memory_kib=64, passes=1, lanes=1)


def link(**changes: str) -> str:
    return "nyckelfri://enrol?" + urlencode(GOOD | changes)


def test_a_link_says_server_code_and_root() -> None:
    said = deeplink.parse(link(code="k7qf-2m9x-4trb"))
    assert (said.server, said.code, said.root) == ("https://nyckel.kommunen.se", "K7QF-2M9X-4TRB", ROOT)
    assert "K7QF" not in repr(said), "a one-time code is for no log"


@pytest.mark.parametrize(
    "server", ["https://nyckel.kommunen.se:8443", "https://kommunen.se/nyckel", "http://localhost:8000"]
)
def test_servers_that_may_be_enrolled_with(server: str) -> None:
    assert deeplink.parse(link(server=server)).server == server


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nyckelfri://enrol",
        "nyckelfri://enrol?",
        "https://nyckel.kommunen.se/enrol?" + urlencode(GOOD),
        "nyckelfri://open?" + urlencode(GOOD),
        "NYCKELFRI://enrol?" + urlencode(GOOD),
        "nyckelfri://enrol?" + urlencode({"server": GOOD["server"], "code": GOOD["code"]}),
        link() + "&pin=493817",
        link() + "&code=AAAA-BBBB-CCCC",
        link() + "#",
        link() + " ",
        link() + "\n",
        link(root=ROOT.upper()),
        link(root=ROOT[:-1]),
        link(root=ROOT + "0"),
        link(code=""),
        link(code="K7Q"),
        link(code="K" * 25),
        link(code="K7QF 2M9X"),
        link(server=""),
        link(server="nyckel.kommunen.se"),
        link(server="ftp://kommunen.se"),
        link(server="file:///etc/passwd"),
        link(server="https://"),
        link(server="https://kommunen.se?x=1"),
        link(server="https://kommunen.se#x"),
        link(server="https://kommunen.se@ond.example"),
        link(server="https://kommunen.se:70000"),
        link(server="https://kommunen.se\\@ond.example"),
        link(server="https://kommunen.se\r\nX: y"),
        link(server="https://" + "a" * 600),
    ],
)
def test_anything_else_is_no_link(bad: str) -> None:
    with pytest.raises(EngineError) as refused:
        deeplink.parse(bad)
    assert refused.value.code == "link_unusable"


@pytest.mark.parametrize(
    "server", ["http://nyckel.kommunen.se", "http://192.168.1.5:8000", "http://localhost.se"]
)
def test_plain_http_is_refused_outside_this_machine(server: str) -> None:
    with pytest.raises(InsecureServerError):
        deeplink.parse(link(server=server))


@given(st.text(max_size=700))
def test_whatever_is_handed_over_is_read_or_refused_in_words(tail: str) -> None:
    for text in (tail, deeplink.START + tail):
        try:
            said = deeplink.parse(text)
        except EngineError:
            continue
        assert said.server.startswith(("https://", "http://"))


@pytest.fixture
async def engine(tmp_path: Path) -> PhoneEngine:
    server = SmallServer(now=lambda: 1_790_000_000)
    setup = Setup(tmp_path, transport=server.transport(), vault_cost=CHEAP, sync_seconds=None)
    engine = PhoneEngine(setup)
    await engine.start()
    return engine


async def test_a_server_with_other_roots_than_the_links_is_not_trusted(engine: PhoneEngine) -> None:
    with pytest.raises(ServerError) as refused:
        await engine.server_identity(URL, ROOT)
    assert refused.value.code == "server_not_trusted"
    assert engine.state.stage is Stage.NOT_ENROLLED


async def test_the_links_own_server_is_enrolled_with(engine: PhoneEngine) -> None:
    root = (await engine.server_identity(URL)).root_fingerprint
    assert (await engine.server_identity(URL, root)).root_fingerprint == root
    await engine.enrol(URL, CODE, PIN)
    assert engine.state.stage is Stage.UNLOCKED
    await engine.stop()
