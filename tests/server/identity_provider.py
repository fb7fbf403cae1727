"""A toy OpenID provider for tests: real HTTP, real JSON web tokens, one person who is always signed in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

import jwt

CLIENT_ID = "nyckelfri"
_KEY = "a key that only this provider knows, and long enough"


class Quiet(WSGIRequestHandler):
    """Keeps the requests out of the tests' output."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


class IdentityProvider:
    """`claims` is what the next ID token says beside issuer, audience, times and nonce."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.asked: dict[str, str] = {}
        self.server = make_server("127.0.0.1", 0, self._answer, handler_class=Quiet)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        if path == "/authorize":
            self.asked = query
            target = query["redirect_uri"] + "?" + urlencode({"code": "once", "state": query["state"]})
            start_response("302 Found", [("Location", target)])
            return [b""]
        said = self._configuration() if "well-known" in path else self._token(environ)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def _token(self, environ: dict[str, Any]) -> dict[str, Any]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        assert sent["code"] == "once"
        assert sent["code_verifier"], "PKCE (RFC 7636)"
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": 1, "exp": 4_000_000_000, **self.claims}
        return {
            "access_token": "unused",
            "token_type": "Bearer",
            "id_token": jwt.encode(claims, _KEY, algorithm="HS256"),
        }
