"""The installer of the bench: carries bytes between a lock in their hand and the server."""

from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from lockagent.commands import from_text, to_text
from protocol import identity
from simulation.demo import authenticator
from simulation.demo.clock import BenchClock
from simulation.pilot.signin import SignIn
from simulation.radio import Position


class Park(Protocol):
    """Where locks are made and mounted: in this process or in one of its own."""

    async def make(self, name: str, position: Position) -> bytes:
        """Make a blank lock and return what it says of itself."""
        ...

    async def mount(self, name: str, door_id: int, package: bytes) -> None:
        """Hand a blank lock its commissioning package and put it on the air."""
        ...

    async def scrap(self, name: str) -> None:
        """Take a blank lock that found no door away."""
        ...


class RefusedByServerError(Exception):
    """The server said no; the text is what it tells a person."""


class Installer:
    """An installer signed in with both factors, carrying bytes between a lock and the server."""

    def __init__(self, url: str, sign_in: SignIn, clock: BenchClock) -> None:
        self._sign_in = sign_in
        self._clock = clock
        self._client = httpx.AsyncClient(base_url=url, timeout=30)
        self._session = ""

    async def __aenter__(self) -> Self:
        credentials = {"username": self._sign_in.username, "password": self._sign_in.password}
        first = await self._client.post("/_allauth/app/v1/auth/login", json=credentials)
        self._session = first.json()["meta"]["session_token"]
        code = authenticator.code(self._sign_in.totp_secret, self._clock.now())
        second = await self._client.post(
            "/_allauth/app/v1/auth/2fa/authenticate",
            json={"code": code},
            headers={"X-Session-Token": self._session},
        )
        second.raise_for_status()
        self._session = second.json()["meta"].get("session_token", self._session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def mount(self, park: Park, name: str, door_id: int, position: Position = (2.0, 0.0)) -> None:
        """Mount a new lock on a door: identity to the server, package to the lock, confirmation back.

        Raises RefusedByServerError, with no lock left behind, when the server does not allow it.
        """
        document = await park.make(name, position)
        try:
            answer = await self._post(
                "commission", door_id=door_id, lock_identity=to_text(document), lock_name=name
            )
        except RefusedByServerError:
            await park.scrap(name)
            raise
        await park.mount(name, door_id, from_text(answer["commission"]))
        lock_id = identity.verify(document).lock_id
        await self._post("commissioned", lock=to_text(lock_id), binding=answer["binding"])

    async def _post(self, verb: str, **body: Any) -> dict[str, Any]:
        headers = {"X-Session-Token": self._session}
        answer = await self._client.post(f"/api/v1/installer/{verb}", json=body, headers=headers)
        content: dict[str, Any] = answer.json()
        if answer.status_code != httpx.codes.OK:
            raise RefusedByServerError(content.get("message_sv", content.get("code", answer.text)))
        return content
