"""Firmware: publishing signed releases, withdrawing them, and knowing what every lock runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from protocol import firmware
from protocol.errors import ProtocolError
from protocol.firmware import Header
from server.audit import actions
from server.audit.domain import record
from server.locks.models import FirmwareRelease, Lock
from server.people.models import User
from server.problems import Problem
from server.tenancy.domain.keyring import current_manifest, signing_key
from server.tenancy.models import Municipality, RoleKey

PUBLISHED = actions.register("firmware.published", _("firmware published"))
WITHDRAWN = actions.register("firmware.withdrawn", _("firmware withdrawn"))
_RUNS_AFTER = frozenset({0, 2})
"""Results of a *firmware* entry after which the lock runs the version it names last."""


def sign_release(
    *, municipality: Municipality, image: bytes, model: str, version: int, security: int, at: datetime
) -> bytes:
    """Return a release file signed by the municipality's firmware key, where the server's keeper has it.

    A municipality that keeps the key elsewhere signs there (`lockagent.firmware.release`) and brings the
    file. Raises `KeyMissingError`, and `Problem` firmware_invalid for what no lock could read.
    """
    key = signing_key(municipality.pk, RoleKey.Role.FIRMWARE)
    try:
        header = firmware.describe(
            image,
            model=model.encode(),
            version=version,
            security=security,
            signed_at=int(at.timestamp()),
        )
        return firmware.encode_file(firmware.sign(header, key), image)
    except ProtocolError as error:
        raise Problem("firmware_invalid") from error


def check(*, municipality: Municipality, file: bytes) -> tuple[Header, bytes, bytes]:
    """Return (header, signed header, image) of a release file that may be published; see `publish`."""
    try:
        signed, image = firmware.parse_file(file)
        header = firmware.verify(signed, current_manifest(municipality)[0])
        model = header.model.decode("ascii")
    except ValueError as error:  # every ProtocolError is one, and so is a model that nobody can read
        raise Problem("firmware_invalid") from error
    earlier = FirmwareRelease.objects.filter(model=model)
    highest = earlier.aggregate(version=Max("version"), security=Max("security"))
    if header.version <= (highest["version"] or 0) or header.security < (highest["security"] or 0):
        raise Problem("firmware_not_newer")
    return header, signed, image


@transaction.atomic
def publish(
    *, municipality: Municipality, file: bytes, at: datetime, actor: User | None = None
) -> FirmwareRelease:
    """Check a release file as a lock would, and hand it to installers' phones from now on.

    Raises `Problem` firmware_invalid (malformed, or not by a firmware key of the manifest in force) and
    firmware_not_newer (another release of this model has the version, or a later one; or its security
    version is below one that was published).
    """
    header, signed, image = check(municipality=municipality, file=file)
    model = header.model.decode()
    release: FirmwareRelease = FirmwareRelease.objects.create(
        municipality=municipality,
        model=model,
        version=header.version,
        security=header.security,
        size=header.size,
        digest=header.digest,
        document=signed,
        image=image,
        signed_at=datetime.fromtimestamp(header.signed_at, UTC),
        published_at=at,
    )
    record(
        action=PUBLISHED,
        target=release,
        actor=actor,
        before={},
        after={"model": model, "version": header.version, "sha256": header.digest.hex()},
    )
    return release


@transaction.atomic
def withdraw(*, release: FirmwareRelease, at: datetime, actor: User | None = None) -> None:
    """Hand a release out no more; locks that run it go on, and only a higher version replaces it."""
    if release.withdrawn_at is not None:
        raise Problem("firmware_withdrawn")
    release.withdrawn_at = at
    release.save(update_fields=["withdrawn_at"])
    record(action=WITHDRAWN, target=release, actor=actor, before={}, after={"at": at.isoformat()})


def learn_versions(told: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Note what locks run now; `told`: (lock, detail of its *firmware* entry), oldest first."""
    for lock, detail in told:
        runs = detail["after"] if detail["result"] in _RUNS_AFTER else detail["before"]
        Lock.objects.filter(pk=lock).update(firmware_version=str(runs))
