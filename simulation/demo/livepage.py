"""An administrator's browser as far as the story needs it: sign in, then watch the live page of passages."""

import asyncio
import json
import re
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from simulation.demo import authenticator
from simulation.demo.clock import BenchClock
from simulation.pilot.signin import SignIn

_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class LivePage:
    """The live page in the hands of somebody who signed in with both factors."""

    def __init__(self, url: str, sign_in: SignIn, clock: BenchClock) -> None:
        self._url = url
        self._sign_in = sign_in
        self._clock = clock
        self._client = httpx.AsyncClient(base_url=url, follow_redirects=True)
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.messages: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        await self._sign_in_with_both_factors()
        cookies = "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())
        address = self._url.replace("http", "ws", 1) + "/ws/passages/"
        headers = {"Cookie": cookies}
        self._socket = await connect(address, origin=Origin(self._url), additional_headers=headers)
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader
        await self._client.aclose()

    async def _sign_in_with_both_factors(self) -> None:
        form = {"login": self._sign_in.username, "password": self._sign_in.password}
        await self.submit("/accounts/login/", form)
        code = authenticator.code(self._sign_in.totp_secret, self._clock.now())
        await self.submit("/accounts/2fa/authenticate/", {"code": code})
        page = await self._client.get("/admin/")
        if page.status_code != httpx.codes.OK or "login" in page.url.path:
            raise RuntimeError(f"the administrator could not sign in: {page.url.path} {page.status_code}")

    async def submit(self, path: str, form: dict[str, str]) -> None:
        """Fill in and send the form of a page; raises when there is none, or when it is not taken."""
        page = await self._client.get(path)
        token = _CSRF.search(page.text)
        if token is None:
            raise RuntimeError(f"{path} shows no form (status {page.status_code})")
        answer = await self._client.post(
            str(page.url),
            data=form | {"csrfmiddlewaretoken": token.group(1)},
            headers={"Referer": str(page.url)},
        )
        answer.raise_for_status()

    async def _read(self, socket: ClientConnection) -> None:
        async for message in socket:
            self.messages.append(json.loads(message))
