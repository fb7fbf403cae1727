"""The staff's phones of the bench: the real engine over genuine bleak, each with a folder of its own."""

from pathlib import Path

from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import EngineError
from mobile.engine.setup import Setup
from mobile.engine.state import LoginState
from simulation.backend import PhoneRadio
from simulation.backend.remote import RemoteEther
from simulation.demo import authenticator
from simulation.demo.clock import BenchClock
from simulation.pilot import layout
from simulation.pilot.signin import SignIn
from simulation.radio import Ether

PIN = "739146"
MTU = 247


class StaffPhone:
    """A phone in somebody's hand. It knows its own folder, the radio and the server's address."""

    def __init__(self, ether: Ether | RemoteEther, clock: BenchClock, folder: Path, sign_in: SignIn) -> None:
        self._clock = clock
        self._sign_in = sign_in
        self.name = sign_in.username
        self.person = next(one.name for one in layout.STAFF if one.username == self.name).split()[0]
        """The first name, for the story."""
        self.folder = folder
        self.radio = PhoneRadio(ether, f"phone-{self.name}", mtu=MTU)
        self.engine = PhoneEngine(
            Setup(
                folder,
                scanner_backend=self.radio.scanner_backend,
                client_backend=self.radio.client_backend,
                wall=lambda: int(clock.now()),
                sync_seconds=None,
                phone_model="simulerad telefon",
            )
        )

    async def begin_shift(self, url: str, code: str) -> None:
        """Enrol with a one-time code, sign in with both factors, fetch the shift's rights."""
        await self.engine.start()
        await self.engine.server_identity(url)
        await self.engine.enrol(url, code, PIN)
        await self.sign_in()
        await self.engine.sync()

    async def sign_in(self) -> None:
        """The second login: password, then the code that the authenticator shows now."""
        await self.engine.sign_in(self._sign_in.username, self._sign_in.password)
        if self.engine.state.login is LoginState.NEEDS_CODE:
            code = authenticator.code(self._sign_in.totp_secret, self._clock.now())
            await self.engine.second_factor(code)

    @property
    def doors_with_rights(self) -> int:
        """How many doors this phone holds a right to."""
        return sum(door.rights_until is not None for door in self.engine.state.doors.values())

    async def try_sync(self) -> str:
        """Sync; return the engine's reason when it cannot, an empty string when it could."""
        try:
            await self.engine.sync()
        except EngineError as error:
            return error.code
        return ""

    async def put_away(self) -> None:
        """End the app."""
        await self.engine.stop()
