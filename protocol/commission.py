"""The commissioning package: what makes a blank lock a municipality's lock on one door.

It brings the root keys to pin, the manifest that names them and that they signed, and bulletin number 1 of
the new binding with its adv_keys sealed to this lock. A lock that is bound already takes it only from the
same roots.
"""

from dataclasses import dataclass

from protocol import bulletin, cbor, fields, manifest
from protocol.bulletin import Bulletin
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import PUBLIC_KEY_LENGTH
from protocol.manifest import MAX_ROOTS, Manifest, RootSet
from protocol.reasons import Reason

MAX_SIZE = 12_000
_VERSION = 1


@dataclass(frozen=True)
class Commission:
    """Verified in itself; whether these roots may be trusted is the installer's act."""

    manifest: Manifest
    manifest_bytes: bytes
    bulletin: Bulletin
    bulletin_bytes: bytes


def encode(roots: RootSet, manifest_bytes: bytes, bulletin_bytes: bytes) -> bytes:
    """Return the package."""
    return cbor.encode([_VERSION, sorted(roots.keys), roots.threshold, manifest_bytes, bulletin_bytes])


def verify(data: bytes) -> Commission:
    """Parse the package and verify manifest and bulletin under the roots it brings."""
    version, roots, threshold, manifest_bytes, bulletin_bytes = fields.array(
        cbor.decode(data, max_size=MAX_SIZE), 5, "commission"
    )
    if version != _VERSION or isinstance(version, bool):
        raise ProtocolError("commission of another version")
    keys = tuple(
        fields.octets(key, PUBLIC_KEY_LENGTH, "root key") for key in fields.items(roots, MAX_ROOTS, "roots")
    )
    root_set = RootSet(keys, fields.uint(threshold, MAX_ROOTS, "threshold"))
    held = manifest.verify(fields.blob(manifest_bytes, manifest.MAX_SIZE, "manifest"), root_set)
    if held.roots != root_set:
        raise ProtocolError("commission and manifest name different roots")
    unverified = bulletin.parse(fields.blob(bulletin_bytes, bulletin.MAX_SIZE, "bulletin"))
    news, newest = unverified.verify(held)
    if newest is not held:
        raise ProtocolError("commission brings two manifests")
    if news.secrets is None:
        raise ProtocolError("commission brings no adv_keys")
    return Commission(held, manifest_bytes, news, bulletin_bytes)


def judge(package: Commission, *, lock_id: bytes, held: Manifest | None, newest: Bulletin | None) -> Reason:
    """Return GRANTED if a lock may take the package in, else why not.

    ``held`` and ``newest`` are the manifest and the bulletin that the lock knows, None for a blank one. A
    lock that has been bound follows its roots only, and nothing leads it back to an earlier place, an
    earlier manifest or an earlier list of revocations.
    """
    if package.bulletin.lock_id != lock_id:
        return Reason.COMMISSION_WRONG_LOCK
    if held is not None and not _follows(package, held):
        return Reason.COMMISSION_ROOT_MISMATCH
    if held is not None and package.manifest.version < held.version:
        return Reason.COMMISSION_OLD
    if newest is not None and (
        package.bulletin.binding == newest.binding or package.bulletin.time < newest.time
    ):
        return Reason.COMMISSION_OLD
    return Reason.GRANTED


def _follows(package: Commission, held: Manifest) -> bool:
    """Say whether the roots the lock knows vouch for the package's manifest."""
    if package.manifest.municipality != held.municipality:
        return False
    try:
        manifest.verify(package.manifest_bytes, held.roots)
    except SignatureError:
        return False
    return True
