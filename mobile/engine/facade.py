"""The engine as the view-models see it: async verbs and one stream of snapshots.

The verbs run on the engine's own asyncio loop. In the app that loop has a thread of its own
(`mobile.engine.thread`); in tests it is pytest's loop. Every verb raises only `EngineError`s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from mobile.engine.emergencies import DoorFault, EmergencyReason, EmergencyRight
from mobile.engine.outcome import ServerIdentity, SyncResult
from mobile.engine.state import AlarmAnswer, AppState, HistoryEntry, Opening
from mobile.engine.workorders import WorkDone, WorkOrder, WorkStep

Listener = Callable[[AppState], None]
Unsubscribe = Callable[[], None]


class Engine(Protocol):
    """One phone with its vaults, its radio and its server."""

    @property
    def state(self) -> AppState:
        """The newest snapshot. Safe to read from any thread: snapshots are immutable."""
        ...

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call `listener` with every new snapshot, on the engine's loop; it must return at once.

        Call it once right away with the snapshot of now. The returned function ends the subscription.
        """
        ...

    async def start(self) -> None:
        """Look for vaults on disk, start what runs in the background, publish the first snapshot."""
        ...

    async def stop(self) -> None:
        """End all work in order, hand what is half done to disk and wipe keys from memory."""
        ...

    # -- first login: the vault ---------------------------------------------------------------------------

    async def server_identity(self, server_url: str, root: str = "") -> ServerIdentity:
        """Ask who answers at an address, so that the person can compare before enrolling.

        `root`: the fingerprint that a link named (hex); any other answer raises server_not_trusted.
        """
        ...

    async def enrol(self, server_url: str, code: str, pin: str) -> None:
        """Make the bearer's keys on this phone, trade the one-time code for a device, make the vault.

        Refuses a weak PIN before anything is sent. Leaves the vault open. The root fingerprint of the
        answer must be the one last shown by `server_identity`, if it was.
        """
        ...

    async def select_bearer(self, bearer_id: str) -> None:
        """Choose whose vault the next `unlock` opens (pool phones). Locks the open one first."""
        ...

    async def unlock(self, pin: str) -> None:
        """Open the active vault. Raises WrongPin-, PinDelay-, VaultWiped- or VaultCorruptError."""
        ...

    async def lock_app(self) -> None:
        """Shut the vault: finish or cancel radio work, then wipe keys from memory. Signs nobody out."""
        ...

    async def change_pin(self, old_pin: str, new_pin: str) -> None:
        """Seal the vault anew under another PIN or passphrase."""
        ...

    async def remove_bearer(self, bearer_id: str) -> None:
        """Erase one person's vault from this phone for good; needs no PIN and no coverage.

        When it is the open one, waiting logs are handed in and the server is told, if it answers.
        """
        ...

    # -- second login: the business system ----------------------------------------------------------------

    async def sign_in(self, username: str, password: str) -> None:
        """First half of the second login; afterwards `state.login` is NEEDS_CODE or SIGNED_IN."""
        ...

    async def second_factor(self, code: str) -> None:
        """Second half: the six digits of the authenticator."""
        ...

    async def sign_out(self) -> None:
        """End the session; forget rights, doors and visits. Sealed logs stay until handed in."""
        ...

    # -- work ---------------------------------------------------------------------------------------------

    async def sync(self) -> SyncResult:
        """Fetch what changed, hand in logs. Joins a sync that is already running."""
        ...

    async def answer_alarm(self, alarm_id: str, answer: AlarmAnswer) -> None:
        """Take, decline or hand over an alarm, then sync: a right that was taken is here when this returns.

        Needs coverage. Raises ServerError alarm_taken when somebody else was quicker, alarm_ended, and
        right_waits when the alarm is taken but coverage was lost before the right was here.
        """
        ...

    async def break_glass(
        self, reason: EmergencyReason, *, alarm_code: str = "", door_id: str = ""
    ) -> EmergencyRight:
        """Take an hour's right to one client of the own provider, named by alarm code or apartment door.

        It is here when this returns, and reviewed the next day. Needs coverage. Raises ServerError
        client_unknown, nothing_to_open, break_glass_too_often, right_waits (taken, not here yet), …
        """
        ...

    async def report_door(self, door_id: str, fault: DoorFault) -> None:
        """Tell the municipality what is wrong with a door. Needs coverage and a right there."""
        ...

    async def open_door(self, door_id: str) -> Opening:
        """Open one door; returns the final state. A second call for the same door joins the first.

        Progress is published in `state.openings`. A refusal or a jam is a result, not an exception.
        """
        ...

    async def lock_door(self, door_id: str) -> Opening:
        """Lock one door on leaving; as `open_door`."""
        ...

    async def begin_practice(self) -> None:
        """Take the right to the practice locks for an hour, then sync; needs coverage.

        Raises ServerError practice_nowhere when there is no practice lock for this person.
        """
        ...

    async def ask_too_early(self, door_id: str) -> Opening:
        """Ask a practice lock with a right that does not hold yet, to see a refusal; as `open_door`."""
        ...

    async def note_practice(self, steps: frozenset[str]) -> None:
        """Keep in the vault which steps of the guided opening are done; none of them: start over."""
        ...

    async def work_orders(self) -> Sequence[WorkOrder]:
        """An installer's orders of today, in the order of work; needs coverage.

        Raises ServerError not_permitted for a person who is no installer.
        """
        ...

    async def carry_out(self, order: WorkOrder, label: str, told: Callable[[WorkStep], None]) -> WorkDone:
        """Do what an order asks at the lock of a label; needs coverage, and the lock within reach.

        `told` is called on the engine's loop with each step as it begins. Raises EngineError: label_misread,
        wrong_lock, lock_not_in_setup, lock_not_heard, link_lost, the lock's own reason or the server's. Doing
        it again goes on where it can.
        """
        ...

    async def note_locked(self, door_id: str) -> None:
        """The person says that a door left unlocked is locked: no reminder of it any more."""
        ...

    async def dismiss_opening(self, door_id: str) -> None:
        """The person has read the result: the door is idle again. Does nothing while a tap is worked on."""
        ...

    async def history(self, limit: int = 200) -> Sequence[HistoryEntry]:
        """The person's own taps, newest first, failed ones too."""
        ...
