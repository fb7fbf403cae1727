"""An issuing server in small, spoken to over httpx: everything a phone may meet, and what it should not.

It follows the HTTP API word by word and signs with a real municipality's keys, so that the engine's own code
runs whole; what a test wants to spoil it spoils in the answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from mobile.engine.answers import blob, mark_of, text_of
from protocol import lockrecord
from protocol.keys import HolderKey, holder_key
from protocol.lockrecord import LockRecord
from protocol.token import Scope, TokenClaims
from protocol.token import issue as issue_token
from tests.lockagent.world import Issuer, Place, secret

CODE, USERNAME, PASSWORD, TOTP, PIN = "AB12-CD34", "anna", "ett långt lösenord", "123456", "493817"
URL = "http://localhost"


@dataclass
class Ware:
    """A door with its lock as this server knows it."""

    place: Place
    door_id: str
    kind: str = "apartment"
    news: bytes = b""
    news_seq: int = 0


@dataclass
class SmallServer:
    """One municipality with its doors. `away` = nobody answers. `now` = its clock."""

    now: Callable[[], int]
    issuer: Issuer = field(default_factory=Issuer)
    wares: list[Ware] = field(default_factory=list)
    away: bool = False
    revoked: str = ""
    """An error code that every device call is answered with."""
    rights: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    removed: list[bytes] = field(default_factory=list)
    batches: list[bytes] = field(default_factory=list)
    spoil: Callable[[dict[str, Any]], dict[str, Any]] = field(default=lambda body: body)
    """Applied to every answer to a sync."""
    holders: dict[str, HolderKey] = field(default_factory=dict)
    """Device token of each enrolled phone, in order: device-1, device-2, …"""
    key_types: tuple[int, ...] = (1, 2)
    calls: list[str] = field(default_factory=list)
    sent: set[bytes] = field(default_factory=set)
    manifest_version_sent: dict[str, int] = field(default_factory=dict)
    held: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """By device: the mark of the cursor it was given last, and the truth of that moment."""
    session_over: bool = False
    has_totp: bool = True
    left: list[str] = field(default_factory=list)
    """Device tokens of phones that have given a key back."""
    alarms_say: str = ""
    """An error code that every answer to an alarm is met with."""
    alarm_body: dict[str, Any] = field(default_factory=dict)
    """What an answer to an alarm says when it is in time."""
    break_glass: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]] | None = None
    """What a question for a right in an emergency is answered with: status and body."""
    reported: list[dict[str, Any]] = field(default_factory=list)

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.MockTransport(self._answer)

    def grant(
        self,
        ware: Ware,
        *,
        begins: int | None = None,
        hours: float = 8.0,
        scope: Scope = Scope.OPEN | Scope.LOCK,
        binding: bytes | None = None,
        issued_at: int | None = None,
        grp: int = 1,
        to: str = "device-1",
    ) -> bytes:
        """Issue a right to an enrolled phone; it comes with its next sync. Returns the token id."""
        begins = self.now() if begins is None else begins
        token_id = secret(f"token/{len(self.rights)}/{ware.door_id}")[:8]
        claims = TokenClaims(
            binding=binding or ware.place.binding,
            not_before=begins,
            expires=begins + int(hours * 3600),
            issued_at=min(begins, self.now()) if issued_at is None else issued_at,
            token_id=token_id,
            grp=grp,
            scope=scope,
        )
        token = issue_token(claims, self.issuer.token_key, self.holders[to])
        self.rights[token_id] = {"ware": ware, "claims": claims, "token": token, "device": to}
        return token_id

    def withdraw(self, token_id: bytes) -> None:
        del self.rights[token_id]
        self.removed.append(token_id)

    def news(self, ware: Ware, **what: Any) -> bytes:
        """Sign a newer bulletin for a door."""
        what.setdefault("time", self.now())
        ware.news = ware.place.bulletin(**what)
        ware.news_seq = ware.place.seq
        return ware.news

    # -- answering ------------------------------------------------------------------------------------------

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("no route to host", request=request)
        path = request.url.path
        self.calls.append(f"{request.method} {path}")
        body = json.loads(request.content or b"{}")
        if self.revoked and request.headers.get("authorization") and "/auth/" not in path:
            return httpx.Response(403, json={"code": self.revoked})
        if path.startswith("/_allauth/app/v1/auth/"):
            return self._auth(request, path.removeprefix("/_allauth/app/v1/auth/"), body)
        if path.startswith("/api/v1/alarms/"):
            body = {"code": self.alarms_say} if self.alarms_say else self.alarm_body
            return httpx.Response(409 if self.alarms_say else 200, json=body)
        handlers: dict[str, Callable[..., httpx.Response]] = {
            "/api/v1/info": self._info,
            "/api/v1/enrol": self._enrol,
            "/api/v1/sync": self._sync,
            "/api/v1/sync/look": self._look,
            "/api/v1/sync/revoked": self._revoked,
            "/api/v1/logs": self._logs,
            "/api/v1/leave": self._leave,
            "/api/v1/fresh-time": self._fresh_time,
            "/api/v1/break-glass": self._break_glass,
            "/api/v1/deviations": self._deviations,
            "/api/v1/practice": self._practice,
        }
        return handlers[path](request, body)

    def _info(self, _request: httpx.Request, _body: dict[str, Any]) -> httpx.Response:
        return httpx.Response(
            200,
            json={
                "municipality": {"name": "Provköping", "slug": "provkoping"},
                "api": "v1",
                "minimum_app_version": "1.0.0",
                "server_time": self.now(),
                "root_fingerprint": self.issuer.root_set.fingerprint.hex(),
                "key_types": list(self.key_types),
            },
        )

    def _enrol(self, _request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        if body["code"] != CODE:
            return httpx.Response(404, json={"code": "code_unknown"})
        device = f"device-{len(self.holders) + 1}"
        self.holders[device] = holder_key(body["key_type"], blob(body["bearer_key"], "key"))
        roots = self.issuer.root_set
        return httpx.Response(
            201,
            json={
                "device_token": device,
                "phone_id": 1,
                "bearer_id": 2,
                "staff_name": "Anna Lind",
                "username": USERNAME,
                "provider_name": "Omsorg AB",
                "municipality_name": "Provköping",
                "roots": [text_of(key) for key in roots.keys],
                "root_threshold": roots.threshold,
                "manifest": text_of(self.issuer.manifest_bytes()),
            },
        )

    def _auth(self, request: httpx.Request, path: str, body: dict[str, Any]) -> httpx.Response:
        if path == "session":
            return httpx.Response(401, json={"status": 401, "meta": {"is_authenticated": False}})
        if path == "login":
            return self._password(body)
        if request.headers["x-session-token"] != "half-way":
            return httpx.Response(401, json={})
        if body["code"] != TOTP:
            return httpx.Response(400, json={"errors": [{"code": "incorrect_code", "param": "code"}]})
        return httpx.Response(200, json={"meta": {"is_authenticated": True, "session_token": "signed-in"}})

    def _password(self, body: dict[str, Any]) -> httpx.Response:
        if (body["username"], body["password"]) != (USERNAME, PASSWORD):
            error = {"code": "username_password_mismatch", "param": "password"}
            return httpx.Response(400, json={"errors": [error]})
        if not self.has_totp:
            return httpx.Response(403, json={"code": "second_factor_required"})
        return httpx.Response(
            401,
            json={
                "data": {"flows": [{"id": "login"}, {"id": "mfa_authenticate", "is_pending": True}]},
                "meta": {"is_authenticated": False, "session_token": "half-way"},
            },
        )

    def _sync(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        device = request.headers["authorization"].removeprefix("Device ")
        if request.headers.get("x-session-token") != "signed-in" or self.session_over:
            return httpx.Response(401, json={"code": "session_missing"})
        mine = {key for key, right in self.rights.items() if right["device"] == device}
        if body["cursor"] is None:
            self.sent -= mine
            self.manifest_version_sent[device] = 0
        manifest = None
        if self.issuer.version > self.manifest_version_sent[device]:
            manifest = text_of(self.issuer.manifest_bytes())
            self.manifest_version_sent[device] = self.issuer.version
        answer = {
            "server_time": self.now(),
            "minimum_app_version": "1.0.0",
            "cursor": str(len(self.calls)),
            "manifest": manifest,
            "shift": {"id": 7, "team": "Norr", "starts_at": self.now(), "ends_at": self.now() + 28800},
            "visits": [self._visit()] if self.wares else [],
            "doors": [self._door(ware, mine) for ware in self.wares],
            "rights": [self._right(key) for key in self.rights if key in mine - self.sent],
            "removed_rights": [text_of(one) for one in self.removed],
            "removed_doors": [],
            "bulletins": [self._bulletin(ware) for ware in self.wares if ware.news],
            "support": {"phone": "08-123", "deviation_routine_sv": "Ring", "deviation_routine_en": "Call"},
        }
        self.sent |= mine
        answer = self.spoil(answer)
        self.held[device] = (mark_of(str(answer.get("cursor"))), self._truth(device))
        return httpx.Response(200, json=answer)

    def _truth(self, device: str) -> Any:
        mine = sorted(key for key, right in self.rights.items() if right["device"] == device)
        told = [(ware.door_id, ware.kind, ware.news_seq) for ware in self.wares]
        return mine, list(self.removed), told, self.issuer.version

    def _revoked(self, _request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        assert body["bearer_id"] == "2"
        gone = [text_of(one) for one in self.removed]
        return httpx.Response(200, json={"server_time": self.now(), "removed_rights": gone})

    def _look(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        device = request.headers["authorization"].removeprefix("Device ")
        if request.headers.get("x-session-token") != "signed-in" or self.session_over:
            return httpx.Response(401, json={"code": "session_missing"})
        news = self.held.get(device) != (body["mark"], self._truth(device))
        return httpx.Response(200, json={"server_time": self.now(), "news": news})

    def _visit(self) -> dict[str, Any]:
        return {
            "id": 3,
            "starts_at": self.now(),
            "ends_at": self.now() + 900,
            "alarm_code": "4711",
            "door_ids": [ware.door_id for ware in self.wares],
        }

    def _door(self, ware: Ware, mine: set[bytes]) -> dict[str, Any]:
        held = any(self.rights[key]["ware"] is ware for key in mine)
        return {
            "id": ware.door_id,
            "kind": ware.kind,
            "address": "Storgatan 1",
            "entrance": "A",
            "floor": "2",
            "number": "1201",
            "fallback": {"kind": "locksmith", "place": "", "phone": "08-999", "hours": "dygnet runt"},
            "binding": text_of(ware.place.binding) if held else None,
            "lock_name": f"Lås {ware.door_id}",
        }

    def _right(self, token_id: bytes) -> dict[str, Any]:
        held = self.rights[token_id]
        ware: Ware = held["ware"]
        claims: TokenClaims = held["claims"]
        return {
            "binding": text_of(ware.place.binding),
            "token_id": text_of(token_id),
            "token": text_of(held["token"]),
            "not_before": claims.not_before,
            "expires": claims.expires,
            "scope": int(claims.scope),
            "lock_record": text_of(self.lock_record(ware)),
            "bulletin": text_of(ware.news or self.news(ware, seq=1)),
        }

    def lock_record(self, ware: Ware) -> bytes:
        place = ware.place
        record = LockRecord(
            binding=place.binding,
            lock_id=place.lock.lock_id,
            static_public=place.lock.static_public,
            adv_keys=(place.adv_key,),
            door_kind=place.settings.door_kind,
            issued_at=self.now(),
            suites=place.lock.suites,
        )
        return lockrecord.sign(record, self.issuer.bulletin_key)

    def _bulletin(self, ware: Ware) -> dict[str, Any]:
        return {
            "binding": text_of(ware.place.binding),
            "seq": ware.news_seq,
            "bulletin": text_of(ware.news),
        }

    def _logs(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        assert request.headers["authorization"].startswith("Device device-")
        results = []
        for batch in (blob(one, "batch") for one in body["batches"]):
            results.append({"status": "known" if batch in self.batches else "stored", "new_passages": 1})
            self.batches += [batch] if batch not in self.batches else []
        return httpx.Response(200, json={"results": results})

    def _leave(self, request: httpx.Request, _body: dict[str, Any]) -> httpx.Response:
        assert request.headers["x-session-token"] == "signed-in"
        self.left.append(request.headers["authorization"].removeprefix("Device "))
        return httpx.Response(200, json={"left": True})

    def _break_glass(self, _request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        assert self.break_glass is not None
        status, said = self.break_glass(body)
        return httpx.Response(status, json=said)

    def _practice(self, request: httpx.Request, _body: dict[str, Any]) -> httpx.Response:
        device = request.headers["authorization"].removeprefix("Device ")
        wares = [ware for ware in self.wares if ware.kind == "practice"]
        if not wares:
            return httpx.Response(409, json={"code": "practice_nowhere"})
        for ware in wares:
            for hour in (0, 1):
                begins = self.now() + hour * 3600
                self.grant(ware, begins=begins, hours=1, issued_at=self.now(), to=device)
        ids = [ware.door_id for ware in wares]
        return httpx.Response(200, json={"expires": self.now() + 3600, "door_ids": ids})

    def _deviations(self, _request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        self.reported.append(body)
        return httpx.Response(200, json={"deviation_id": 1, "opened_at": "2026-11-20T09:12:00Z"})

    def _fresh_time(self, _request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        binding = blob(body["binding"], "binding", 8)
        place = next(ware.place for ware in self.wares if ware.place.binding == binding)
        statement = place.fresh_time(blob(body["m0_hash"], "hash", 32), self.now())
        return httpx.Response(200, json={"statement": text_of(statement)})
