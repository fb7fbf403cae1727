"""Enrolment: which server, is it the right one, a one-time code, and a PIN of one's own.

Server and code are typed, or come with the link of a QR code, which also names the server's roots: the phone
then compares them itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from mobile.engine import deeplink
from mobile.engine.deeplink import EnrolLink
from mobile.engine.errors import EngineError, WeakPinError
from mobile.engine.outcome import ServerIdentity
from mobile.engine.state import Stage
from mobile.engine.storage.pin import check_new_pin
from mobile.viewmodels.forms import Form, slug_of
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

HELD_S = 60
"""A link that came while somebody worked is forgotten after so long."""
LARGE = 1.6
"""The text size from which four groups of digits are too wide for one line."""


@dataclass(frozen=True, slots=True)
class EnrolView:
    """`step` is address, check or pin. `typed_server` and `typed_code` are what a link filled in."""

    step: str = "address"
    intro: str = ""
    typed_server: str = ""
    typed_code: str = ""
    municipality: str = ""
    server: str = ""
    fingerprint: str = ""
    message: str = ""
    working: bool = False
    can_cancel: bool = False


def server_address(typed: str) -> str | None:
    """A clean base address, https added when left out; None when it is not one."""
    text = typed.strip()
    if "://" not in text:
        text = ("http://" if text.split(":")[0] in LOCAL_HOSTS else "https://") + text
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return None
    good = parts.scheme in {"http", "https"} and parts.hostname and " " not in text and port_is_fine
    return text.rstrip("/") if good else None


def is_insecure(address: str) -> bool:
    """Plain HTTP to anywhere but this machine."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS


class EnrolModel(Form):
    """Three steps; nothing is sent to the server but its own question until the person has said yes."""

    def __init__(self, session: Session, navigation: Navigation) -> None:
        super().__init__(session)
        self._navigation = navigation
        self._identity: ServerIdentity | None = None
        self._link: EnrolLink | None = None
        self._code = ""
        self._step = "address"
        self._held: tuple[str, int] | None = None
        session.listen(self._look_at_held)

    def view(self) -> EnrolView:
        """What to show now."""
        identity = self._identity
        return EnrolView(
            step=self._step,
            intro=self._intro(),
            typed_server=self._link.server if self._link else "",
            typed_code=self._link.code if self._link else "",
            municipality=identity.municipality if identity else "",
            server=identity.url.removeprefix("https://") if identity else "",
            fingerprint=self._fingerprint(),
            message=self.message() or self._farewell(),
            working=self.working,
            can_cancel=self._step != "address" or self._navigation.enrolling,
        )

    def arrive(self, link: str) -> None:
        """A link has come: ask its server who it is, as if address and code had been typed.

        Any app or page can open one, so it takes no screen from a person at work: it waits until the vault is
        shut, as it is soon when its person has left the app to scan.
        """
        if self._session.state.stage is Stage.UNLOCKED:
            self._held = (link, self._session.wall() + HELD_S)
            return None
        if self.working:
            return None
        self.start_over()
        self._navigation.enrol_another(True)
        try:
            self._link = deeplink.parse(link)
        except EngineError as error:
            return self.complain(slug_of(error))
        return self.look_up(self._link.server, self._link.code)

    def look_up(self, typed_server: str, code: str) -> None:
        """Step one: ask the server who it is."""
        address = server_address(typed_server)
        if address is None:
            return self.complain("invalid_address")
        if is_insecure(address):
            return self.complain("insecure_server")
        if not code.strip():
            return self.complain("code_unknown")
        self._session.farewell = ""
        self._code = "".join(code.split()).upper()
        link = self._link if self._link and self._link.server == address else None
        self._link = link
        root = link.root if link else ""
        return self.submit(lambda: self._session.engine.server_identity(address, root), self._found)

    def accept(self) -> None:
        """Step two: the fingerprint is the right one."""
        self._step = "pin"
        self._session.changed()

    def cancel(self) -> None:
        """One step back to the beginning, and from there to the vaults that there are."""
        if self._step == "address":
            self._navigation.enrol_another(False)
        self.start_over()

    def start_over(self) -> None:
        """Not the right server, or a mistyped code."""
        self._step, self._identity, self._link, self._code = "address", None, None, ""
        self.clear()
        self._session.changed()

    def finish(self, pin: str, again: str) -> None:
        """Step three: the PIN, twice; a weak one is refused before anything is sent."""
        if self._identity is None:
            return self.start_over()
        try:
            check_new_pin(pin)
        except WeakPinError as error:
            return self.complain(slug_of(error))
        if pin != again:
            return self.complain("pin_mismatch")
        url, code = self._identity.url, self._code
        return self.submit(lambda: self._session.engine.enrol(url, code, pin), self._enrolled)

    def _look_at_held(self) -> None:
        if self._held is None or self._session.state.stage is Stage.UNLOCKED:
            return
        (link, until), self._held = self._held, None
        if self._session.wall() <= until:
            self.arrive(link)

    def _enrolled(self, _: None) -> None:
        self.start_over()
        self._navigation.enrol_another(False)

    def _fingerprint(self) -> str:
        """In lines of equal length, so that two people can read it to each other."""
        if self._identity is None:
            return ""
        groups = grouped(self._identity.root_fingerprint).split()
        a_line = 2 if self._session.preferences.scale >= LARGE else 4
        return "\n".join(" ".join(groups[i : i + a_line]) for i in range(0, len(groups), a_line))

    def _intro(self) -> str:
        """What the step is about; a link has been compared by the phone, what was typed is for the eye."""
        texts = self._session.texts
        if self._step == "pin":
            return texts.tr("enrol.pin_text")
        if self._step == "address":
            return texts.tr("enrol.intro")
        return texts.tr("enrol.check_link") if self._link else texts.tr("enrol.check_text")

    def _farewell(self) -> str:
        """Why there is no vault any more, if there was one a moment ago."""
        if not self._session.farewell:
            return ""
        words = self._session.texts.reason(self._session.farewell)
        return f"{words.title}. {words.happened} {words.next}"

    def _found(self, identity: ServerIdentity) -> None:
        self._identity, self._step = identity, "check"


def grouped(fingerprint: str) -> str:
    """Hex in groups of four, as it is read aloud; the first 128 bits are enough to compare."""
    text = fingerprint.upper()[:32]
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))
