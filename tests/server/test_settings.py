"""Settings come from the environment; a production set-up that lacks something stops with a plain word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from server.config.logs import blank_secrets
from tests.server.running import ROOT

pytestmark = pytest.mark.once

PRODUCTION = {
    "DATABASE_URL": "postgres://nyckelfri@db/nyckelfri",
    "REDIS_URL": "redis://cache/0",
    "ALLOWED_HOSTS": "nyckel.example.se",
    "SECRET_KEY": "k" * 60 + "0123456789",
    "KEY_ENCRYPTION_KEYS": "new,old",
}
SHOW = (
    "import json; from django.conf import settings as s; print(json.dumps({n: getattr(s, n) for n in "
    "('SESSION_COOKIE_SECURE', 'CSRF_COOKIE_SECURE', 'SECURE_SSL_REDIRECT', 'SECURE_HSTS_SECONDS', 'DEBUG', "
    "'CELERY_TASK_ALWAYS_EAGER', 'SECRET_KEY', 'KEY_ENCRYPTION_KEYS')}))"
)


def manage(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**known, "NYCKELFRI_VAR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def shown(folder: Path, environment: dict[str, str]) -> dict[str, object]:
    done = manage(folder, environment, "shell", "-v0", "-c", SHOW)
    assert done.returncode == 0, done.stderr
    values: dict[str, object] = json.loads(done.stdout)
    return values


def test_production_is_strict(tmp_path: Path) -> None:
    values = shown(tmp_path, PRODUCTION)
    assert values["SESSION_COOKIE_SECURE"] and values["CSRF_COOKIE_SECURE"] and values["SECURE_SSL_REDIRECT"]
    assert values["SECURE_HSTS_SECONDS"] == 31_536_000
    assert values["DEBUG"] is False
    assert values["CELERY_TASK_ALWAYS_EAGER"] is False
    assert values["KEY_ENCRYPTION_KEYS"] == ["new", "old"]
    assert not any(path.name in ("secret_key", "key_encryption_keys") for path in tmp_path.iterdir())


def test_production_passes_djangos_deployment_check(tmp_path: Path) -> None:
    done = manage(tmp_path, PRODUCTION, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "KEY_ENCRYPTION_KEYS"])
def test_a_missing_secret_is_named(tmp_path: Path, name: str) -> None:
    environment = {key: value for key, value in PRODUCTION.items() if key != name}
    done = manage(tmp_path, environment, "check")
    assert done.returncode != 0
    assert f"{name} (or {name}_FILE) must be set" in done.stderr


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(PRODUCTION["SECRET_KEY"] + "\n", encoding="ascii")
    environment = {key: value for key, value in PRODUCTION.items() if key != "SECRET_KEY"}
    values = shown(tmp_path, {**environment, "SECRET_KEY_FILE": str(tmp_path / "secret")})
    assert values["SECRET_KEY"] == PRODUCTION["SECRET_KEY"]


def test_embedded_default_makes_its_own_secrets_once(tmp_path: Path) -> None:
    first, second = shown(tmp_path, {}), shown(tmp_path, {})
    assert first == second
    assert len(str(first["SECRET_KEY"])) > 40
    assert first["SECRET_KEY"] != first["KEY_ENCRYPTION_KEYS"]
    assert first["SESSION_COOKIE_SECURE"] is False, "only localhost is allowed, where there is no TLS"


def test_logs_blank_secrets() -> None:
    event = {
        "event": "enrol",
        "device_token": "abc",
        "password": "x",
        "kid": "01",
        "phone": 7,
        "totp_code": 1,
    }
    assert blank_secrets(None, "info", event) == {
        "event": "enrol",
        "device_token": "***",
        "password": "***",
        "kid": "01",
        "phone": 7,
        "totp_code": "***",
    }


def test_a_real_server_hashes_passwords_as_many_times_as_django_says(tmp_path: Path) -> None:
    """These tests hash once, for speed; nothing of that may reach a server."""
    ask = "from django.contrib.auth.hashers import make_password; print(make_password('x'))"
    done = manage(tmp_path, PRODUCTION, "shell", "-v0", "-c", ask)
    algorithm, passes, _salt, _hash = done.stdout.split("$")
    assert (algorithm, int(passes)) == ("pbkdf2_sha256", PBKDF2PasswordHasher.iterations)
