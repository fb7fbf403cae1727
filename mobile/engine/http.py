"""One kept HTTP client: bounds, timeouts, and errors with a reason that a person understands.

Plain HTTP is refused outside this machine. TLS says that the server owns its name; that it is the right
server is said by the root keys pinned at enrolment, under which everything it hands out is verified.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from mobile.engine.errors import EngineError, InsecureServerError, ServerError

APP_VERSION = "1.0.0"
MAX_ANSWER_BYTES = 16 * 1024 * 1024
TIMEOUT = httpx.Timeout(30.0, connect=5.0, pool=5.0)
_PACKINGS = frozenset({"", "identity", "gzip"})
"""What is packed twice may unfold to anything before its length can be seen."""
_PLACE = re.compile(r"[^@\\\s]+")
"""No name before the host, not even an empty one: what the person reads first must be whom it goes to."""
_SLUG = re.compile(r"[a-z][a-z0-9_]{1,47}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON object."""

    status: int
    body: dict[str, Any] = field(repr=False)


def check_address(server_url: str) -> str:
    """Return the address without a trailing slash.

    Raises EngineError invalid_address, or InsecureServerError for plain HTTP to another machine.
    """
    try:
        parts = urlsplit(server_url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise EngineError("invalid_address") from None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise EngineError("invalid_address")
    if not _PLACE.fullmatch(parts.netloc + parts.path) or not server_url.strip().isprintable():
        raise EngineError("invalid_address")
    if parts.scheme == "http" and not _this_machine(host):
        raise InsecureServerError
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Http:
    """The kept client. `on_contact(True | False)` is told after every call whether the server was reached."""

    def __init__(
        self, *, transport: httpx.AsyncBaseTransport | None, on_contact: Callable[[bool], None]
    ) -> None:
        self._transport, self._on_contact = transport, on_contact
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close connections; the next call opens anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def call(
        self,
        method: str,
        url: str,
        *,
        body: dict[str, Any] | None = None,
        device_token: str = "",
        session: str = "",
        expect: tuple[int, ...] = (200,),
        most: int | None = None,
    ) -> Answer:
        """One call. Statuses outside `expect` raise ServerError with the server's own reason.

        `most`: the longest answer that is read, in bytes; None = the longest of all.

        Raises ServerError: server_unreachable, server_error, or the slug of the server's answer.
        """
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"Nyckelfri/{APP_VERSION}",
        }
        if device_token:
            headers["Authorization"] = f"Device {device_token}"
        if session:
            headers["X-Session-Token"] = session
        status, raw = await self._exchange(method, url, body, headers, most or MAX_ANSWER_BYTES)
        answer = Answer(status, _object(raw, must=status in expect))
        if status not in expect:
            raise ServerError(_code(answer), status=status, **_why(answer))
        return answer

    async def _exchange(
        self, method: str, url: str, body: dict[str, Any] | None, headers: dict[str, str], most: int
    ) -> tuple[int, bytes]:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport, timeout=TIMEOUT, follow_redirects=False, trust_env=False
            )
        try:
            async with self._client.stream(method, url, json=body, headers=headers) as response:
                raw = await _bounded(response, most)
        except httpx.InvalidURL:
            raise EngineError("invalid_address") from None
        except httpx.HTTPError as error:
            self._on_contact(False)
            untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
            raise ServerError("server_not_trusted" if untrusted else "server_unreachable") from error
        self._on_contact(True)
        return response.status_code, raw


async def _bounded(response: httpx.Response, most: int) -> bytes:
    if response.headers.get("Content-Encoding", "").strip().lower() not in _PACKINGS:
        raise ServerError("server_error", why="answer packed in a way nobody asked for")
    raw = bytearray()
    async for chunk in response.aiter_bytes():
        raw += chunk
        if len(raw) > most:
            raise ServerError("server_error", why="answer too large")
    return bytes(raw)


def _object(raw: bytes, *, must: bool) -> dict[str, Any]:
    if not raw and not must:
        return {}
    try:
        body = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    if must:
        raise ServerError("server_error", why="not a JSON object")
    return {}


def _code(answer: Answer) -> str:
    """The reason slug of an error answer; hostile or missing ones become `server_error`."""
    code = answer.body.get("code")
    if isinstance(code, str) and _SLUG.fullmatch(code):
        return code
    return "too_many_attempts" if answer.status == httpx.codes.TOO_MANY_REQUESTS else "server_error"


def _why(answer: Answer) -> dict[str, str]:
    """The finer reason that some refusals carry (`details.reason`, a slug), as an error's detail."""
    details = answer.body.get("details")
    why = details.get("reason") if isinstance(details, dict) else None
    return {"why": why} if isinstance(why, str) and _SLUG.fullmatch(why) else {}
