"""Enrolment: a one-time code becomes a bearer with keys made on this phone and root keys pinned for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mobile.engine import answers, bearerkey
from mobile.engine.bearerkey import NewKey
from mobile.engine.content import Content, Identity, Trust
from mobile.engine.errors import EngineError, ServerError
from mobile.engine.http import APP_VERSION, Http, check_address
from mobile.engine.keyring import Keyring
from mobile.engine.merge import trusted
from mobile.engine.outcome import ServerIdentity
from mobile.engine.storage.hardware import HardwareKeys
from protocol.errors import ProtocolError
from protocol.manifest import RootSet

MAX_INFO_BYTES = 16 * 1024
"""Nobody has said yes to that server yet: any link makes the phone ask it."""


class Enrolment:
    """The two calls a phone makes before it has a vault."""

    def __init__(
        self,
        *,
        http: Http,
        keyring: Keyring,
        random: Callable[[int], bytes],
        phone_model: str,
        hardware: HardwareKeys | None = None,
    ) -> None:
        self._http, self._keyring, self._hardware = http, keyring, hardware
        self._random, self._phone_model = random, phone_model
        self._shown: dict[str, str] = {}
        self._key_types: dict[str, tuple[int, ...]] = {}
        """The types of keys that the server at an address takes; X25519 alone until it says more."""

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
        self._key_types[url] = tuple(int(one) for one in body.items("key_types") if isinstance(one, int))
        return identity

    async def enrol(self, server_url: str, code: str, bearer: str) -> Content:
        """Trade the code for a device; returns what the new vault is to hold.

        A pool phone whose open vault holds a device token hands it over and stays one phone.

        The private key is made here and never leaves the vault, or the phone's hardware, where it is named
        after `bearer`, the name of the vault to be. Raises ServerError (code_unknown, code_used,
        code_expired, app_too_old, server_not_trusted, …) or EngineError invalid_address.
        """
        url = check_address(server_url)
        key = await asyncio.to_thread(
            bearerkey.make, bearer, self._hardware, self._key_types.get(url, ()), self._random
        )
        answer = await self._http.call(
            "POST",
            f"{url}/api/v1/enrol",
            body={
                "code": code.strip(),
                "bearer_key": answers.text_of(key.holder.public),
                "key_type": int(key.holder.key_type),
                "app_version": APP_VERSION,
                "phone_model": self._phone_model,
            },
            device_token=self._token_at(url),
            expect=(200, 201),
        )
        body = answers.Body(answer.body)
        return Content(identity=_identity(url, key, body), trust=_trust(body, self._shown.get(url)))

    def _token_at(self, url: str) -> str:
        if not self._keyring.is_open:
            return ""
        identity = self._keyring.content.identity
        return identity.device_token if identity.server_url == url else ""


def _identity(url: str, key: NewKey, body: answers.Body) -> Identity:
    return Identity(
        server_url=url,
        phone_id=body.text("phone_id"),
        bearer_id=body.text("bearer_id"),
        device_token=body.secret("device_token"),
        private_key=key.private,
        staff_name=body.text("staff_name", default=""),
        username=body.text("username", default=""),
        provider_name=body.text("provider_name", default=""),
        municipality_name=body.text("municipality_name", default=""),
        hardware_key=key.name,
        public_key=key.holder.public if key.name else b"",
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
