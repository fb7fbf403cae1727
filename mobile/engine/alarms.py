"""Answering alarms: one call, and then the sync that brings the right or takes the card away."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

from mobile.engine.errors import EngineError, ServerError, SignInError
from mobile.engine.http import Http
from mobile.engine.keyring import Keyring
from mobile.engine.state import AlarmAnswer
from mobile.engine.sync import Syncer

TOO_LATE = frozenset({"alarm_taken", "alarm_ended", "not_found"})


class Alarms:
    """The one call that a person makes about an alarm; what alarms there are comes with every sync."""

    def __init__(self, *, http: Http, keyring: Keyring, syncer: Syncer) -> None:
        self._http, self._keyring, self._syncer = http, keyring, syncer

    async def answer(self, alarm_id: str, answer: AlarmAnswer) -> None:
        """Give the answer, then sync anew; when it came too late the sync takes the alarm away all the same.

        Raises ServerError alarm_taken, alarm_ended, server_unreachable, …; SignInError session_expired.
        """
        content = self._keyring.content
        if not content.session:
            raise SignInError("session_expired")
        if alarm_id not in {alarm.id for alarm in content.alarms}:
            raise ServerError("alarm_ended")
        identity = content.identity
        try:
            await self._http.call(
                "POST",
                f"{identity.server_url}/api/v1/alarms/{quote(alarm_id, safe='')}/{answer.value}",
                body={},
                device_token=identity.device_token,
                session=content.session,
            )
        except ServerError as error:
            if error.code not in TOO_LATE:
                raise
            with suppress(EngineError):  # that it was too late is what the person must hear
                await self._syncer.sync_anew()
            raise ServerError("alarm_ended" if error.code == "not_found" else error.code) from error
        await self._syncer.sync_anew()
