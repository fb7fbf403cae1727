"""The first login: whose vault on this phone is open, and how it is opened, shut and given another PIN.

The engine hands the verbs here. What else must begin when a vault has opened, and end before it is shut
(radio, websocket, sync), the engine hands in as `begin_work` and `end_work`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from mobile.engine import content as codec
from mobile.engine import views
from mobile.engine.bearers import Bearers
from mobile.engine.board import Board
from mobile.engine.clock import Clock
from mobile.engine.enrolment import Enrolment, initials
from mobile.engine.errors import EngineError, PinDelayError, VaultWipedError, WrongPinError
from mobile.engine.keyring import Keyring
from mobile.engine.openvault import OpenVault
from mobile.engine.setup import Setup
from mobile.engine.state import LoginState, Stage
from mobile.engine.storage.attempts import MAX_FAILURES
from mobile.engine.storage.pin import check_new_pin
from mobile.engine.vault import Vaults

BEARER_ID_BYTES = 8

Step = Callable[[], Awaitable[None]]


class FirstLogin:
    """The vault verbs of `mobile.engine.facade.Engine`."""

    def __init__(
        self,
        setup: Setup,
        *,
        board: Board,
        clock: Clock,
        keyring: Keyring,
        vaults: Vaults,
        bearers: Bearers,
        enrolment: Enrolment,
        begin_work: Step,
        end_work: Step,
        say_goodbye: Step,
    ) -> None:
        self._setup, self._board, self._clock, self._keyring = setup, board, clock, keyring
        self._vaults, self._bearers, self._enrolment = vaults, bearers, enrolment
        self._begin_work, self._end_work, self._say_goodbye = begin_work, end_work, say_goodbye
        self._active = ""

    async def start(self) -> None:
        """Look for vaults on disk; the only one there is chosen at once."""
        with suppress(EngineError):  # what cannot be tidied now is tidied at the next start
            await asyncio.to_thread(self._tidy)
        self._choose()

    def _tidy(self) -> None:
        self._vaults.tidy()
        self._bearers.tidy()

    def _choose(self) -> None:
        cards = self._bearers.cards()
        self._active = cards[0].id if len(cards) == 1 else ""
        self._show_shut()

    async def enrol(self, server_url: str, code: str, pin: str) -> None:
        """Trade a one-time code for a new bearer with a vault of its own, and leave that vault open."""
        check_new_pin(pin)
        await asyncio.to_thread(self._vaults.ask_hardware)  # before the code is used up
        content = await self._enrolment.enrol(server_url, code)
        await self._shut()
        bearer_id = self._setup.random(BEARER_ID_BYTES).hex()
        try:
            vault = await self._vaults.create(bearer_id, pin, await asyncio.to_thread(codec.encode, content))
        except EngineError:
            self._show_shut()
            raise
        with suppress(EngineError):  # a label is a convenience; the vault is what counts
            self._bearers.label(bearer_id, initials(content.identity.staff_name))
        self._active = bearer_id
        await self._open(vault)

    async def select(self, bearer_id: str) -> None:
        """Shut what is open and choose whose vault is opened next."""
        await self._shut()
        self._active = bearer_id
        self._show_shut()

    async def unlock(self, pin: str) -> None:
        """Open the chosen vault."""
        if self._keyring.is_open:
            await self.lock()
        try:
            vault = await self._vaults.unlock(self._active, pin)
        except (WrongPinError, PinDelayError) as error:
            wait = int(error.details.get("wait_seconds", 0))
            self._board.show(
                pin_attempts_left=int(error.details.get("attempts_left", 0)),
                pin_wait_until=self._setup.wall() + wait if wait else 0,
            )
            raise
        except VaultWipedError:
            self._choose()
            raise
        await self._open(vault)

    async def lock(self) -> None:
        """End the work, shut the vault and show nothing of what was in it."""
        await self._shut()
        self._show_shut()

    async def change_pin(self, old_pin: str, new_pin: str) -> None:
        """Seal the open vault under another PIN."""
        try:
            await self._vaults.change_pin(self._active, self._keyring.vault, old_pin, new_pin)
        except VaultWipedError:
            # What is open must not be written back; a save that was under way may just have done so.
            self._keyring.abandon()
            await asyncio.to_thread(self._vaults.wipe, self._active)
            await self._end_work()
            self._choose()
            raise

    async def remove(self, bearer_id: str) -> None:
        """Erase one person from this phone: vault, keys, counter and label.

        An open vault says goodbye to the server first; a shut one cannot, for nobody can read who it is.
        """
        if self._keyring.is_open:
            if bearer_id == self._active:
                await self._say_goodbye()
            await self._end_work()
            self._keyring.abandon()
        try:
            await asyncio.to_thread(self._vaults.wipe, bearer_id)
            await asyncio.to_thread(self._bearers.tidy)
        finally:
            self._choose()

    async def _open(self, vault: OpenVault) -> None:
        await self._keyring.open(vault)
        if vault.older:
            # What it gives back may have been revoked since; who the bearer is cannot have changed.
            try:
                await self._keyring.change(lambda content: content.without_work())
            except EngineError:
                await self._keyring.close()
                raise
        content = self._keyring.content
        self._clock.restore(content.clock_offset)
        self._board.show(
            stage=Stage.UNLOCKED,
            login=LoginState.SIGNED_IN if content.session else LoginState.SIGNED_OUT,
            bearers=self._bearers.cards(),
            active_bearer=self._active,
            pin_attempts_left=MAX_FAILURES,
            pin_wait_until=0,
            vault_warning="vault_older" if vault.older else "",
            hardware_key=self._setup.hardware.level if self._setup.hardware and vault.hardware_key else "",
        )
        await self._begin_work()

    async def _shut(self) -> None:
        await self._end_work()
        await self._keyring.close()

    def _show_shut(self) -> None:
        cards = self._bearers.cards()
        attempts, wait = MAX_FAILURES, 0
        if self._active:
            with suppress(EngineError):
                attempts = self._vaults.attempts(self._active).left
                wait = self._vaults.wait_seconds(self._active)
        self._board.show(
            **views.SHUT,
            stage=Stage.LOCKED if cards else Stage.NOT_ENROLLED,
            login=LoginState.SIGNED_OUT,
            bearers=cards,
            active_bearer=self._active,
            pin_attempts_left=attempts,
            pin_wait_until=self._setup.wall() + wait if wait else 0,
        )
