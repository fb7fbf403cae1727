"""Answering alarms: one call, and then the sync that brings the right or takes the card away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote

from mobile.engine.answers import Body
from mobile.engine.asking import Asking
from mobile.engine.content import Content
from mobile.engine.errors import EngineError, ServerError
from mobile.engine.keyring import Keyring
from mobile.engine.state import Alarm, AlarmAnswer, AlarmStage
from mobile.engine.sync import Syncer

TOO_LATE = frozenset({"alarm_taken", "alarm_ended", "not_found"})
SHOWN_AFTER_S = 3600
"""A taken alarm whose right has run out stays in sight: it can be renewed, and its person must hear so."""


class Alarms:
    """The one call that a person makes about an alarm; what alarms there are comes with every sync."""

    def __init__(
        self, *, asking: Asking, keyring: Keyring, syncer: Syncer, on_change: Callable[[], None]
    ) -> None:
        self._asking, self._keyring, self._syncer, self._on_change = asking, keyring, syncer, on_change

    async def answer(self, alarm_id: str, answer: AlarmAnswer) -> None:
        """Give the answer, then sync anew; when it came too late the sync takes the alarm away all the same.

        Raises ServerError alarm_taken, alarm_ended, server_unreachable, right_waits (the alarm is taken, but
        coverage was lost before its right was here), …; SignInError session_expired.
        """
        if alarm_id not in {alarm.id for alarm in self._keyring.content.alarms}:
            raise ServerError("alarm_ended")
        try:
            said = await self._asking.ask(f"alarms/{quote(alarm_id, safe='')}/{answer.value}", {})
        except ServerError as error:
            if error.code not in TOO_LATE:
                raise
            with suppress(EngineError):  # that it was too late is what the person must hear
                await self._syncer.sync_anew()
            raise ServerError("alarm_ended" if error.code == "not_found" else error.code) from error
        if answer is AlarmAnswer.TAKE and said.text("state") != "taken":
            raise ServerError("server_error")
        await self._note(alarm_id, said)
        try:
            await self._syncer.sync_anew()
        except EngineError as error:
            if answer is AlarmAnswer.TAKE:
                raise ServerError("right_waits") from error

    async def _note(self, alarm_id: str, said: Body) -> None:
        """Keep what the answer came to before anything else can fail: an alarm is not taken twice."""
        state = said.text("state", default="")
        until = said.number("expires") if state == "taken" and said.has("expires") else None
        await self._keyring.change(lambda now: _noted(now, alarm_id, state, until))
        self._on_change()


def _noted(content: Content, alarm_id: str, state: str, until: int | None) -> Content:
    if state == "passed":
        return replace(content, alarms=tuple(one for one in content.alarms if one.id != alarm_id))
    if state != "taken":
        return content
    return replace(
        content, alarms=tuple(_taken(one, until) if one.id == alarm_id else one for one in content.alarms)
    )


def _taken(alarm: Alarm, until: int | None) -> Alarm:
    return replace(alarm, stage=AlarmStage.TAKEN, expires=alarm.expires if until is None else until)


def to_show(alarms: tuple[Alarm, ...], now: int) -> tuple[Alarm, ...]:
    """The alarms that still concern the person. `now` is estimated server time."""
    return tuple(
        alarm
        for alarm in alarms
        if alarm.expires + (SHOWN_AFTER_S if alarm.stage is AlarmStage.TAKEN else 0) > now
    )
