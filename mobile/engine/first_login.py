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
from mobile.engine.errors import EngineError, LockedError, PinDelayError, VaultWipedError, WrongPinError
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
        self._wish = 0
        """Grows with every wish about which vault is open: what began under an older one comes too late."""

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
        wish = self._wish
        await asyncio.to_thread(self._vaults.ask_hardware)  # before the code is used up
        bearer_id = self._setup.random(BEARER_ID_BYTES).hex()
        try:
            content = await self._enrolment.enrol(server_url, code, bearer_id)
        except BaseException:
            with suppress(EngineError):  # what stays of a key in hardware is tidied at the next start
                await asyncio.to_thread(self._vaults.wipe, bearer_id)
            raise
        if wish == self._wish:
            wish = await self._shut()
        try:
            vault = await self._vaults.create(bearer_id, pin, await asyncio.to_thread(codec.encode, content))
        except EngineError:
            self._show_who_is_here()
            raise
        with suppress(EngineError):  # a label is a convenience; the vault is what counts
            self._bearers.label(bearer_id, initials(content.identity.staff_name))
        if wish != self._wish:  # the code is used up: the vault is there, and shut
            vault.close()
            self._show_who_is_here()
            raise LockedError
        self._active = bearer_id
        await self._open(vault, wish)

    async def select(self, bearer_id: str) -> None:
        """Shut what is open and choose whose vault is opened next."""
        wish = await self._shut()
        if wish == self._wish:
            self._active = bearer_id
            self._show_shut()

    async def unlock(self, pin: str) -> None:
        """Open the chosen vault."""
        if self._keyring.is_open:
            await self.lock()
        self._wish += 1
        wish, bearer_id = self._wish, self._active
        try:
            vault = await self._vaults.unlock(bearer_id, pin)
        except (WrongPinError, PinDelayError) as error:
            if bearer_id != self._active:
                raise LockedError from error  # the screen is another person's by now
            wait = int(error.details.get("wait_seconds", 0))
            self._board.show(
                pin_attempts_left=int(error.details.get("attempts_left", 0)),
                pin_wait_until=self._setup.wall() + wait if wait else 0,
            )
            raise
        except VaultWipedError:
            self._show_who_is_here()
            raise
        await self._open(vault, wish)

    async def lock(self) -> None:
        """End the work, shut the vault and show nothing of what was in it."""
        await self._shut()
        if not self._keyring.is_open:
            self._show_shut()

    async def change_pin(self, old_pin: str, new_pin: str) -> None:
        """Seal the open vault under another PIN."""
        bearer_id, vault, still = self._active, self._keyring.vault, self._keyring.hold()
        try:
            await self._vaults.change_pin(bearer_id, vault, old_pin, new_pin)
        except VaultWipedError:
            with suppress(LockedError):  # unless the app was locked meanwhile
                still()
                # What is open must not be written back; a save that was under way may just have done so.
                self._keyring.abandon()
                self._wish += 1
                await self._end_work()
            await asyncio.to_thread(self._vaults.wipe, bearer_id)
            self._show_who_is_here()
            raise

    async def remove(self, bearer_id: str) -> None:
        """Erase one person from this phone: vault, keys, counter and label.

        An open vault says goodbye to the server first; a shut one cannot, for nobody can read who it is.
        """
        if self._keyring.is_open:
            if bearer_id == self._active:
                await self._say_goodbye()
            self._wish += 1
            await self._end_work()
            self._keyring.abandon()
        try:
            await asyncio.to_thread(self._vaults.wipe, bearer_id)
            await asyncio.to_thread(self._bearers.tidy)
        finally:
            self._choose()

    async def _open(self, vault: OpenVault, wish: int) -> None:
        await self._keyring.open(vault, lambda: wish == self._wish)
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

    async def _shut(self) -> int:
        """Shut what is open and overtake what is being opened; returns the number of this wish."""
        self._wish += 1
        wish = self._wish
        await self._end_work()
        if wish == self._wish:  # else a later wish shuts it, or has already opened another
            await self._keyring.close()
        return wish

    def _show_who_is_here(self) -> None:
        """A vault has come or gone. Whoever has chosen theirs by now is not asked again."""
        cards = self._bearers.cards()
        if self._keyring.is_open:
            self._board.show(bearers=cards)
        elif self._active in {card.id for card in cards}:
            self._show_shut()
        else:
            self._choose()

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
