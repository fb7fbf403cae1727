"""The engine's parts, put together once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mobile.engine import bearerkey
from mobile.engine.alarms import Alarms
from mobile.engine.asking import Asking
from mobile.engine.bearers import Bearers
from mobile.engine.board import Board
from mobile.engine.breakglass import BreakGlass
from mobile.engine.clock import Clock
from mobile.engine.courier import Courier
from mobile.engine.enrolment import Enrolment
from mobile.engine.goodbye import Goodbye
from mobile.engine.http import Http
from mobile.engine.installing import Installing
from mobile.engine.keyring import Keyring
from mobile.engine.locktalk import Locks
from mobile.engine.login import SignIn
from mobile.engine.openings import Openings
from mobile.engine.practice import Practice
from mobile.engine.radio import Radio
from mobile.engine.scanner import Scanner
from mobile.engine.setup import Setup
from mobile.engine.state import Bluetooth, Nearby
from mobile.engine.storage.outbox import Outbox
from mobile.engine.sync import Syncer
from mobile.engine.vault import Vaults


class Parts:
    """Who knows whom: everybody the keyring and the board, nobody the engine."""

    def __init__(
        self,
        setup: Setup,
        *,
        on_change: Callable[[], None],
        on_bluetooth: Callable[[Bluetooth], None],
        on_nearby: Callable[[Mapping[bytes, Nearby]], None],
        on_tap_done: Callable[[], None],
    ) -> None:
        self.board, self.keyring = Board(), Keyring()
        self.clock = Clock(wall=setup.wall, monotonic=setup.monotonic)
        self.vaults = Vaults(
            setup.data_dir / "vaults",
            disk=setup.disk,
            cost=setup.vault_cost,
            hardware=setup.hardware,
            now=setup.wall,
            monotonic=setup.monotonic,
            random=setup.random,
        )
        self.bearers = Bearers(self.vaults, setup.data_dir / "bearers.json", setup.disk)
        self.http = Http(transport=setup.transport, on_contact=self._contact)
        self.courier = Courier(
            outbox=Outbox(setup.data_dir / "outbox", disk=setup.disk),
            http=self.http,
            keyring=self.keyring,
            on_waiting=self._waiting,
        )
        self.syncer = Syncer(
            http=self.http,
            keyring=self.keyring,
            board=self.board,
            clock=self.clock,
            courier=self.courier,
            on_change=on_change,
        )
        asking = Asking(http=self.http, keyring=self.keyring, syncer=self.syncer)
        self.goodbye = Goodbye(http=self.http, keyring=self.keyring, courier=self.courier)
        self.alarms = Alarms(asking=asking, keyring=self.keyring, syncer=self.syncer, on_change=on_change)
        self.break_glass = BreakGlass(asking=asking, keyring=self.keyring, syncer=self.syncer)
        self.enrolment = Enrolment(
            http=self.http,
            keyring=self.keyring,
            random=setup.random,
            hardware=setup.hardware,
            phone_model=setup.phone_model,
        )
        self.sign_in = SignIn(http=self.http, keyring=self.keyring, board=self.board)
        radio = Radio(
            scanner_backend=setup.scanner_backend,
            client_backend=setup.client_backend,
            adapter=setup.adapter,
        )
        self.scanner = Scanner(radio, on_bluetooth=on_bluetooth, on_nearby=on_nearby)
        self.openings = Openings(
            radio=radio,
            scanner=self.scanner,
            courier=self.courier,
            syncer=self.syncer,
            keyring=self.keyring,
            board=self.board,
            clock=self.clock,
            random=setup.random,
            key_of=lambda identity: bearerkey.of(identity, setup.hardware),
            on_done=on_tap_done,
        )
        self.practice = Practice(
            asking=asking, keyring=self.keyring, syncer=self.syncer, openings=self.openings
        )

        self.installing = Installing(
            asking=asking,
            keyring=self.keyring,
            courier=self.courier,
            locks=Locks(radio, self.scanner),
            random=setup.random,
        )

    def _contact(self, online: bool) -> None:
        self.board.show_sync(online=online)

    def _waiting(self, waiting: int) -> None:
        self.board.show_sync(waiting_logs=waiting)
