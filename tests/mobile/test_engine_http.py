"""The kept HTTP client: where it may go, how long it waits, and what it makes of bad answers."""

from __future__ import annotations

import asyncio
import gzip
import secrets
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest

from mobile.engine import http
from mobile.engine.enrolment import Enrolment
from mobile.engine.errors import EngineError, InsecureServerError, ServerError
from mobile.engine.http import Http, check_address
from mobile.engine.keyring import Keyring
from tests.mobile.issuing import URL


def _http(answer: httpx.Response | Exception, contacts: list[bool] | None = None) -> Http:
    def respond(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    told = contacts if contacts is not None else []
    return Http(transport=httpx.MockTransport(respond), on_contact=told.append)


@pytest.mark.parametrize(
    "url",
    [
        "https://nycklar.example.se",
        "https://nycklar.example.se:8443/bas",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ],
)
def test_https_anywhere_and_plain_http_on_this_machine(url: str) -> None:
    assert check_address(url + "/") == url


@pytest.mark.parametrize(
    "url",
    ["http://nycklar.example.se", "http://10.0.0.7", "http://localhost.example.se", "http://127.0.0.1.se"],
)
def test_plain_http_to_another_machine_is_refused(url: str) -> None:
    with pytest.raises(InsecureServerError):
        check_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nycklar.example.se",
        "ftp://x",
        "https://",
        "https://a:b@x.se",
        "https://:nyckel.kommunen.se@evil.example",
        "https://@evil.example",
        "https://nyckel.kommunen.se\u202e",
        "https://nyckel kommunen.se",
        "https://nyckel.kommunen.se/\x07",
        "https://x.se?q=1",
        "https://[",
        "https://x:99999999",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(EngineError) as refused:
        check_address(url)
    assert refused.value.code == "invalid_address"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.ConnectError("no route"), "server_unreachable"),
        (httpx.ReadTimeout("slow"), "server_unreachable"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "server_not_trusted"),
        (httpx.Response(500), "server_error"),
        (httpx.Response(502, text="<html>"), "server_error"),
        (httpx.Response(200, text="<html>"), "server_error"),
        (httpx.Response(200, json=[1]), "server_error"),
        (httpx.Response(302, headers={"location": "https://elsewhere.se"}), "server_error"),
        (httpx.Response(403, json={"code": "phone_revoked"}), "phone_revoked"),
        (httpx.Response(403, json={"code": "<b>hostile</b>"}), "server_error"),
        (httpx.Response(403, json={"code": 7}), "server_error"),
        (httpx.Response(429, text=""), "too_many_attempts"),
        (httpx.Response(200, content=b"[" * 100_000), "server_error"),
    ],
)
async def test_every_bad_answer_has_a_reason(answer: httpx.Response | Exception, code: str) -> None:
    contacts: list[bool] = []
    client = _http(answer, contacts)
    with pytest.raises(ServerError) as failed:
        await client.call("GET", "http://localhost/x")
    assert failed.value.code == code
    assert contacts == [not isinstance(answer, Exception)]
    await client.close()


async def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1000)
    client = _http(httpx.Response(200, content=b"{" + b" " * 2000 + b"}"))
    with pytest.raises(ServerError) as failed:
        await client.call("GET", "http://localhost/x")
    assert failed.value.code == "server_error"
    await client.close()


async def test_secrets_go_in_headers_and_only_there() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"ok": True})

    client = Http(transport=httpx.MockTransport(respond), on_contact=lambda _: None)
    answer = await client.call("POST", "http://localhost/x", body={"a": 1}, device_token="d", session="s")
    assert answer.body == {"ok": True}
    assert seen[0].headers["authorization"] == "Device d"
    assert seen[0].headers["x-session-token"] == "s"
    assert str(seen[0].url) == "http://localhost/x"
    await client.close()


async def test_no_proxy_of_the_surroundings_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy named in the environment would see every session; nobody listens on the one named here."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    client = Http(transport=None, on_contact=lambda _online: None)
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await client.call("GET", f"http://127.0.0.1:{port}/")).status == 200
        await client.close()


class Parcel(httpx.AsyncByteStream):
    """A body that is unpacked only by whoever reads it."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._packed


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,gzip,gzip", "deflate", "gzip, identity, gzip"])
async def test_an_answer_packed_twice_is_not_unpacked(encoding: str) -> None:
    """Half a kilobyte would become a hundred megabytes, and any link makes the phone ask its server."""
    packed = gzip.compress(gzip.compress(bytes(100 * 1024 * 1024), 1), 9)
    answer = httpx.Response(200, headers={"Content-Encoding": encoding}, stream=Parcel(packed))
    client = _http(answer)
    tracemalloc.start()
    with pytest.raises(ServerError) as refused:
        await client.call("GET", URL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.code == "server_error"
    assert peak < 10 * 1024 * 1024
    await client.close()


async def test_one_packing_is_understood() -> None:
    answer = httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=Parcel(gzip.compress(b'{"a": 1}'))
    )
    client = _http(answer)
    assert (await client.call("GET", URL)).body == {"a": 1}
    await client.close()


async def test_a_server_that_is_not_trusted_yet_may_only_say_a_little() -> None:
    long = httpx.Response(200, json={"root_fingerprint": "0" * 64, "filler": ["x"] * 100_000})
    client = _http(long)
    enrolment = Enrolment(http=client, keyring=Keyring(), random=secrets.token_bytes, phone_model="")
    with pytest.raises(ServerError) as refused:
        await enrolment.ask(URL)
    assert refused.value.code == "server_error"
    await client.close()
