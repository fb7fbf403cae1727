"""The phone under test: ours on the simulated radio, or anybody's behind a command."""

from __future__ import annotations

import asyncio
import json
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from mobile.engine.attempt import Attempt, Surroundings
from mobile.engine.content import LockInfo, Right
from mobile.engine.courier import Courier
from mobile.engine.errand import Errand
from mobile.engine.radio import Radio
from mobile.engine.scanner import Scanner
from mobile.engine.state import OpeningState, Operation
from protocol.phonekeys import X25519Key
from simulation.backend import PhoneRadio
from simulation.backend.remote import RemoteEther
from simulation.radio import Ether

TAP_SECONDS = 60.0
WORDS = {
    OpeningState.OPEN: "open",
    OpeningState.ALREADY_OPEN: "open",
    OpeningState.LOCKED: "locked",
    OpeningState.ALREADY_LOCKED: "locked",
    OpeningState.JAMMED: "jammed",
    OpeningState.MOTOR_TIMEOUT: "motor_timeout",
    OpeningState.BY_HAND: "by_hand",
    OpeningState.AJAR: "ajar",
    OpeningState.OUTCOME_UNKNOWN: "unknown",
    OpeningState.NO_ANSWER: "nothing",
    OpeningState.NOT_FOUND: "nothing",
    OpeningState.FAILED: "nothing",
}
"""What a person is told, in the kit's words; a refusal is "refused" and the reason's name."""


@dataclass(frozen=True)
class Credentials:
    """What the phone holds for the kit's door."""

    binding: bytes
    lock_id: bytes
    lock_static: bytes
    adv_key: bytes
    record: bytes
    """The signed lock record that says the four above."""
    token: bytes
    token_id: bytes
    begins: int
    ends: int
    bulletin: bytes
    bulletin_number: int
    manifest: bytes
    private_key: bytes

    def as_json(self, operation: str) -> str:
        """Everything, bytes in hex, for a phone in another process."""
        told = {name: value.hex() for name, value in vars(self).items() if isinstance(value, bytes)}
        numbers = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        return json.dumps(told | numbers | {"operation": operation})

    @classmethod
    def from_json(cls, text: str) -> tuple[Credentials, str]:
        """Inverse of ``as_json``: the credentials, and the operation to tap for."""
        told = json.loads(text)
        operation = told.pop("operation")
        values: dict[str, Any] = {
            name: bytes.fromhex(one) if isinstance(one, str) else one for name, one in told.items()
        }
        return cls(**values), operation


class PhoneUnderTest(Protocol):
    """One tap at the kit's door, and what the person was told: one of WORDS, or "refused <reason>"."""

    kept: list[bytes]
    """Sealed batches that the phone kept, where it can be looked into."""

    async def tap(self, held: Credentials, operation: str) -> str:
        """``operation``: "open" or "lock"."""
        ...


class _Pocket:
    """Our phone's courier, without a server: it keeps what it is given."""

    def __init__(self, kept: list[bytes]) -> None:
        self._kept = kept
        self.room = 4096

    async def keep(self, sealed: bytes) -> bool:
        self._kept.append(sealed)
        return True

    async def fresh_time(self, binding: bytes, m0_hash: bytes) -> bytes | None:
        return None


class OurPhone:
    """The phone's engine from the scan to the truth about the bolt; genuine bleak, simulated radio."""

    def __init__(self, ether: Ether | RemoteEther, random: Callable[[int], bytes], *, mtu: int = 247) -> None:
        radio = PhoneRadio(ether, "phone", mtu=mtu)
        self._radio = Radio(scanner_backend=radio.scanner_backend, client_backend=radio.client_backend)
        self._random = random
        self.kept: list[bytes] = []

    async def tap(self, held: Credentials, operation: str) -> str:
        """See ``PhoneUnderTest``."""
        scanner = Scanner(self._radio, on_bluetooth=lambda _: None, on_nearby=lambda _: None)
        scanner.watch([(held.binding, held.adv_key)])
        await scanner.start()
        attempt = Attempt(_errand(held, operation, self._random(8)), self._around(scanner))
        try:
            verdict = await attempt.run()
            await attempt.carry()
        finally:
            await attempt.close()
            await scanner.stop()
        return f"refused {verdict.reason}" if verdict.state is OpeningState.REFUSED else WORDS[verdict.state]

    def _around(self, scanner: Scanner) -> Surroundings:
        async def no_news(_errand: Errand) -> Errand | None:
            return None

        courier = cast(Courier, _Pocket(self.kept))
        random = self._random
        return Surroundings(self._radio, scanner, courier, random, no_news, lambda _state: None)


def _errand(held: Credentials, operation: str, request_id: bytes) -> Errand:
    lock = LockInfo(
        binding=held.binding,
        lock_id=held.lock_id,
        static_public=held.lock_static,
        adv_keys=(held.adv_key,),
        issued_at=held.begins,
        bulletin=held.bulletin,
        bulletin_seq=held.bulletin_number,
    )
    right = Right(held.token_id, held.binding, held.token, held.begins, held.ends, 3)
    return Errand(Operation(operation), lock, (right,), X25519Key(held.private_key), request_id)


class CommandPhone:
    """Anybody's phone: a command that taps once. {case} in it is replaced by a file with the credentials.

    The last line that it prints must be one of the kit's words, or "refused" and the reason's name.
    """

    def __init__(self, command: str) -> None:
        self._words = shlex.split(command)
        self.kept: list[bytes] = []

    async def tap(self, held: Credentials, operation: str) -> str:
        """See ``PhoneUnderTest``."""
        with tempfile.TemporaryDirectory(prefix="conformance") as folder:
            file = await asyncio.to_thread(_written, Path(folder) / "case.json", held.as_json(operation))
            words = [word.replace("{case}", str(file)) for word in self._words]
            process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
            async with asyncio.timeout(TAP_SECONDS):
                printed, _ = await process.communicate()
        lines = printed.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "(nothing printed)")


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
