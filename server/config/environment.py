"""Reading settings: the environment, secrets from files, and local secrets for the embedded default."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[2]

env = environ.FileAwareEnv()


def var_dir() -> Path:
    """Return the folder for everything the server writes, made when it is missing."""
    path = Path(env.str("NYCKELFRI_VAR", default=str(BASE_DIR / "var")))
    path.mkdir(parents=True, exist_ok=True)
    return path


def secret(name: str, *, folder: Path, local: bool) -> str:
    """Return the secret `name` from the environment, `name`_FILE, or (embedded only) a file made once.

    `folder` is where a local secret is kept, readable by its owner only; with `local` false a missing
    secret is an error, since several hosts must share it.
    """
    value: str = env.str(name, default="").strip()  # a file ends with a line break
    if value:
        return value
    if not local:
        raise ImproperlyConfigured(f"{name} (or {name}_FILE) must be set when DATABASE_URL or REDIS_URL is")
    path = folder / name.lower()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii").strip()
