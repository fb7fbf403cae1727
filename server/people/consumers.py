"""The websocket on which phones wait for pokes."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from server.people import push
from server.people.domain.enrolment import hash_device_token
from server.people.models import Phone
from server.people.queries import phone_by_token_hash

UNKNOWN, REVOKED = 4401, 4403
"""Close codes. An unknown phone is to be enrolled anew; a revoked one syncs once and learns why."""
RECHECK_S = 40.0
"""How often a socket looks whether a poke was lost on the way to it, or its phone revoked without one."""
MAX_HEADER = 160


class PhoneConsumer(AsyncJsonWebsocketConsumer):
    """Says {"type": "sync"} when there is news, and nothing else; hears nothing at all.

    Dead connections are found by the web server's own pings. Which person of a pool phone is signed in does
    not matter: the poke has no content and the sync that follows asks for the second factor.
    """

    phone_id: int
    told: int
    """The count of pokes that the phone knows of."""
    checking: asyncio.Task[None]

    async def connect(self) -> None:
        """Let in enrolled phones that are not revoked."""
        phone = await phone_with(_device_token(self.scope))
        if phone is None or phone.revoked_at is not None:
            # Accepted first, so that the phone sees the code and not just a failed connection.
            await self.accept()
            await self.close(UNKNOWN if phone is None else REVOKED)
            return
        self.phone_id = phone.pk
        # Read before anything is heard here: the phone syncs when it is let in.
        self.told = await self._pokes() or 0
        await self.channel_layer.group_add(push.group_of(phone.pk), self.channel_name)
        await self.accept()
        self.checking = asyncio.create_task(self._check_now_and_then())

    async def disconnect(self, _code: int) -> None:
        """Leave the group."""
        if not hasattr(self, "checking"):
            return
        await self.channel_layer.group_discard(push.group_of(self.phone_id), self.channel_name)
        self.checking.cancel()
        with suppress(asyncio.CancelledError):
            await self.checking

    async def receive(self, **_frame: Any) -> None:
        """What a phone says here is not looked at, nor even parsed."""

    async def phone_sync(self, _event: dict[str, Any]) -> None:
        """Pass a poke on; the one that tells of the phone's own revocation ends the connection instead."""
        await self._tell(await self._pokes())

    async def _tell(self, pokes: int | None) -> None:
        if pokes is None:
            await self.close(REVOKED)
            return
        self.told = pokes
        await self.send_json({"type": "sync"})

    async def _check_now_and_then(self) -> None:
        while True:
            # Phones connect in bunches, at shift starts and after a restart; their checks need not.
            await asyncio.sleep(RECHECK_S * random.uniform(0.75, 1.25))  # noqa: S311  spreading, no secret
            pokes = await self._pokes()
            if pokes != self.told:
                await self._tell(pokes)
            if pokes is None:
                return

    @database_sync_to_async
    def _pokes(self) -> int | None:
        """How often the phone has been poked; None when it is no longer enrolled."""
        enrolled = Phone.unscoped.filter(pk=self.phone_id, revoked_at__isnull=True)
        found = enrolled.values_list("contact__pokes").first()
        return None if found is None else found[0] or 0


@database_sync_to_async
def phone_with(token: str) -> Phone | None:
    """Return the phone that has this device token, in whichever municipality."""
    return phone_by_token_hash(hash_device_token(token)) if token else None


def _device_token(scope: dict[str, Any]) -> str:
    """Return the token of `Authorization: Device <token>`, or an empty string."""
    said = dict(scope["headers"]).get(b"authorization", b"")
    scheme, _, token = said[:MAX_HEADER].decode("latin-1").partition(" ")
    return token.strip() if scheme == "Device" else ""
