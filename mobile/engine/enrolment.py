"""Enrolment: a one-time code becomes a bearer with keys made on this phone and root keys pinned for good."""

from __future__ import annotations

from collections.abc import Callable

from mobile.engine import answers
from mobile.engine.content import Content, Identity, Trust
from mobile.engine.errors import EngineError, ServerError
from mobile.engine.http import APP_VERSION, Http, check_address
from mobile.engine.keyring import Keyring
from mobile.engine.merge import trusted
from mobile.engine.outcome import ServerIdentity
from protocol.errors import ProtocolError
from protocol.keys import KeyType, x25519_public
from protocol.manifest import RootSet

MAX_INFO_BYTES = 16 * 1024
"""Nobody has said yes to that server yet: any link makes the phone ask it."""


class Enrolment:
    """The two calls a phone makes before it has a vault."""

    def __init__(
        self, *, http: Http, keyring: Keyring, random: Callable[[int], bytes], phone_model: str
    ) -> None:
        self._http, self._keyring = http, keyring
        self._random, self._phone_model = random, phone_model
        self._shown: dict[str, str] = {}

    async def ask(self, server_url: str, root: str = "") -> ServerIdentity:
        """Who answers at this address. What is shown now must be what enrolment then meets.

        A server may hold several municipalities: `root`, from a link, says whose is meant.
        """
        url = check_address(server_url)
        question = f"{url}/api/v1/info?root={root}" if root else f"{url}/api/v1/info"
        body = answers.Body((await self._http.call("GET", question, most=MAX_INFO_BYTES)).body)
        municipality = body.optional("municipality") or answers.Body({})
        identity = ServerIdentity(
            url=url,
            municipality=municipality.name("name"),
            root_fingerprint=body.text("root_fingerprint").lower(),
            minimum_app_version=body.text("minimum_app_version", default=""),
        )
        if _version(identity.minimum_app_version) > _version(APP_VERSION):
            raise ServerError("app_too_old")
        if root and identity.root_fingerprint != root:
            raise ServerError("server_not_trusted")
        self._shown[url] = identity.root_fingerprint
        return identity

    async def enrol(self, server_url: str, code: str) -> Content:
        """Trade the code for a device; returns what the new vault is to hold.

        A pool phone whose open vault holds a device token hands it over and stays one phone.

        The private key is made here and never leaves the vault. Raises ServerError (code_unknown, code_used,
        code_expired, app_too_old, server_not_trusted, …) or EngineError invalid_address.
        """
        url = check_address(server_url)
        private_key = self._random(32)
        answer = await self._http.call(
            "POST",
            f"{url}/api/v1/enrol",
            body={
                "code": code.strip(),
                "bearer_key": answers.text_of(x25519_public(private_key)),
                "key_type": int(KeyType.X25519),
                "app_version": APP_VERSION,
                "phone_model": self._phone_model,
            },
            device_token=self._token_at(url),
            expect=(200, 201),
        )
        body = answers.Body(answer.body)
        return Content(identity=_identity(url, private_key, body), trust=_trust(body, self._shown.get(url)))

    def _token_at(self, url: str) -> str:
        if not self._keyring.is_open:
            return ""
        identity = self._keyring.content.identity
        return identity.device_token if identity.server_url == url else ""


def _identity(url: str, private_key: bytes, body: answers.Body) -> Identity:
    return Identity(
        server_url=url,
        phone_id=body.text("phone_id"),
        bearer_id=body.text("bearer_id"),
        device_token=body.secret("device_token"),
        private_key=private_key,
        staff_name=body.text("staff_name", default=""),
        username=body.text("username", default=""),
        provider_name=body.text("provider_name", default=""),
        municipality_name=body.text("municipality_name", default=""),
    )


def _trust(body: answers.Body, shown: str | None) -> Trust:
    """The roots to pin: the ones whose fingerprint the person saw, and the manifest they signed."""
    keys = tuple(sorted(answers.blob(one, "root key", 32) for one in body.items("roots")))
    try:
        roots = RootSet(keys, body.number("root_threshold"))
    except ProtocolError as error:
        raise ServerError("server_not_trusted") from error
    if shown is not None and roots.fingerprint.hex() != shown:
        raise ServerError("server_not_trusted")
    trust = Trust(roots.keys, roots.threshold, body.blob("manifest"))
    trusted(trust)
    return trust


def _version(text: str) -> tuple[int, ...]:
    """A version as numbers; what is not one counts as the oldest."""
    try:
        return tuple(int(part) for part in text.split(".")[:4]) if text else ()
    except ValueError:
        return ()


def initials(name: str) -> str:
    """What a shut vault may show of its owner, so that a person on a pool phone finds theirs."""
    found = "".join(part[0] for part in name.split()[:3]).upper()
    if not found:
        raise EngineError("server_error", why="no staff name")
    return found
