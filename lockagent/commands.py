"""What the command line does: init, commission, run, show."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bumble.transport import open_transport
from bumble.transport.common import Transport

from lockagent import hardware, labels
from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt
from lockagent.core.events import Gesture
from lockagent.core.memory import Memory
from lockagent.firmware import folder as programs
from lockagent.hardware import Hands
from lockagent.image import SETTLE_SECONDS
from lockagent.lockfolder import LockFolder, create, open_folder
from lockagent.motor.port import Motor
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from lockagent.records import Boot, Damage
from lockagent.rtc import SystemRtc
from lockagent.sparing import Sparing
from protocol import commission
from protocol.commission import Commission
from protocol.errors import ProtocolError
from protocol.reasons import Reason
from protocol.settings import DoorKind

_ARRAY_OF_FIVE = b"\x85"
"""First byte of a raw package; no base64url text begins with it."""
SLOW_ADVERTS_MS = 1000.0
"""Between two adverts of a lock on batteries that nobody stands at."""
Say = Callable[[str], None]
_WHY = {
    Reason.COMMISSION_WRONG_LOCK: "the package was made for another lock",
    Reason.COMMISSION_ROOT_MISMATCH: "the package is signed by other root keys than this lock follows",
    Reason.COMMISSION_OLD: "the package is older than what this lock already knows",
    Reason.COMMISSION_INVALID: "the package does not hold together",
    Reason.LOCK_FAULT: "the lock could not write to its store",
}


class RefusedError(Exception):
    """What was asked cannot be done; the text is for the person at the keyboard."""


def to_text(data: bytes) -> str:
    """Base64url without padding, the form of the HTTP API."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes:
    """Inverse of `to_text`, forgiving white space; RefusedError when it is not base64url."""
    compact = "".join(text.split())
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError("the package is not base64url text") from None


def init(folder: Path, say: Say) -> None:
    """Make a lock: keys that never leave the folder, and an identity document for the server."""
    made = create(folder, os.urandom)
    say(to_text(made.identity_document()))
    made.close()


def commission_lock(folder: Path, package: Path | None, say: Say, rtc: SystemRtc) -> None:
    """Take in a commissioning package from a file or standard input, base64url text or raw bytes."""
    data = sys.stdin.buffer.read() if package is None else package.read_bytes()
    raw = data if data[:1] == _ARRAY_OF_FIVE else from_text(data.decode("ascii", "replace"))
    try:
        verified = commission.verify(raw)
    except ProtocolError as error:
        raise RefusedError(f"the commissioning package is not valid: {error}") from None
    lock = open_folder(folder)
    try:
        reason = asyncio.run(_take(lock, verified, rtc))
    finally:
        lock.close()
    if reason is not Reason.GRANTED:
        raise RefusedError(_WHY.get(reason, reason.slug))
    say(f"bound to {verified.bulletin.binding.hex()} ({verified.bulletin.settings.door_kind.name.lower()})")


async def run(
    folder: Path,
    transport: str,
    say: Say,
    rtc: SystemRtc,
    *,
    board: Path | None = None,
    slot: str | None = None,
    settle_seconds: float = SETTLE_SECONDS,
) -> bool:
    """Be the lock until SIGINT or SIGTERM; whether it wants to be started again, by the loader.

    `board`: the file that says what hangs on which pin; None for a simulated motor. `slot`: which program the
    loader started; None without one.
    """
    lock = open_folder(folder)
    try:
        with (
            programs.opened(folder, slot, settle_seconds) as firmware,
            hardware.opened(board, door_kind(lock), say) as hands,
        ):
            parts = replace(_parts(lock, rtc, hands.motor), firmware=firmware)
            return await _be(lock, parts, hands, transport, say)
    finally:
        lock.close()


def door_kind(lock: LockFolder) -> DoorKind | None:
    """What the lock is bound to; None while it has no door."""
    binding = Memory.decode(lock.store.boot().state.payload).binding
    return binding.bulletin.settings.door_kind if binding is not None else None


async def _be(lock: LockFolder, parts: Parts, hands: Hands, transport: str, say: Say) -> bool:
    async with await _transport(transport) as hci:
        slow = SLOW_ADVERTS_MS if hands.on_battery else None
        agent = Agent(parts, radio=BumbleRadio(hci.source, hci.sink, os.urandom, slow_ms=slow))
        await agent.start()
        hands.edges.listen(agent.touch)
        _listen_for_setup(agent)
        state = "is on the air" if agent.core.binding else "has no door: hold its button (SIGUSR1)"
        say(f"lock {lock.secrets.identity.lock_id.hex()} {state}, with {hands.words}")
        gone = asyncio.Event()
        hci.source.terminated.add_done_callback(lambda _: gone.set())
        await _until_signalled(agent.broken, agent.restart, gone)
        if gone.is_set():
            agent.halt()
            raise RefusedError(f"the radio at {transport} is gone; start the lock again")
        await agent.stop()
        if agent.broken.is_set():
            raise RefusedError("the agent met a fault of its own and stopped; start it again")
        return agent.restart.is_set()


def _listen_for_setup(agent: Agent) -> None:
    """What stands in for a setup button where there is none: a signal to the process."""
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: agent.feed(Gesture()))


async def _transport(name: str) -> Transport:
    """Open a bumble transport; what goes wrong with an adapter is told in one sentence."""
    try:
        return await open_transport(name)
    except Exception as error:  # each kind of adapter has errors of its own, down to a bare Exception
        why = str(error) or type(error).__name__
        raise RefusedError(f"the radio cannot be reached by {name}: {why}") from error


def print_label(folder: Path, say: Say) -> None:
    """Print what belongs on the lock's label: who reads it can set the lock up after its button was held."""
    lock = open_folder(folder)
    try:
        say(labels.printed(lock.secrets))
    finally:
        lock.close()


def show(folder: Path, say: Say) -> None:
    """Print what the lock knows, no secrets."""
    lock = open_folder(folder)
    try:
        identity = lock.secrets.identity
        say(f"lock       {identity.lock_id.hex()}")
        say(f"identity   {to_text(lock.identity_document())}")
        _show_store(lock.store.boot(), say)
    finally:
        lock.close()


async def _take(lock: LockFolder, package: Commission, rtc: SystemRtc) -> Reason:
    return Agent(_parts(lock, rtc)).commission(package)


def _show_store(boot: Boot, say: Say) -> None:
    memory = Memory.decode(boot.state.payload)
    head = boot.records[-1].seq if boot.records else 0
    if memory.binding is None:
        say("binding    none")
    elif not memory.binding.adv_keys:
        say(f"binding    none; was {memory.binding.bulletin.binding.hex()}, ended by its municipality")
    else:
        news = memory.binding.bulletin
        say(f"binding    {news.binding.hex()} ({news.settings.door_kind.name.lower()})")
        say(f"bulletin   {news.seq} of {_date(news.time)}")
        say(f"manifest   {memory.binding.manifest.version}")
    certain = "certain" if memory.clock.certain else "uncertain"
    say(f"clock      {certain}, not before {_date(memory.clock.lower)}")
    say(f"log        epoch {boot.state.epoch}, {head} entries, {boot.state.acked} receipted")
    if boot.state.damage is not Damage.NONE:
        say(f"damage     {boot.state.damage.name.lower()} began this log epoch")


def _parts(lock: LockFolder, rtc: SystemRtc, motor: Motor | None = None) -> Parts:
    motor = motor or SimulatedMotor(bolt=Bolt.LOCKED)
    return Parts(lock.store, lock.secrets, motor, rtc.read(), os.urandom)


def _date(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")


async def _until_signalled(*done: asyncio.Event) -> None:
    """Wait for SIGINT, SIGTERM or one of the events."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    waiting = [loop.create_task(event.wait()) for event in (stopped, *done)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def set_up_logging(*, verbose: bool) -> None:
    """Our own log lines; bumble's only when asked for, but for a few an hour of what goes wrong there."""
    handler = logging.StreamHandler()
    if not verbose:
        handler.addFilter(Sparing())
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", handlers=[handler])
    logging.getLogger("bumble").setLevel(logging.DEBUG if verbose else logging.WARNING)
