"""What a root holder reads before signing, and sees after: every line of it follows from the file alone."""

from __future__ import annotations

from datetime import UTC, datetime

from protocol import ceremony, manifest
from protocol.ceremony import Ceremony
from protocol.errors import SignatureError
from protocol.manifest import Manifest, RoleKey, RootSet


def lines(read: Ceremony) -> list[str]:
    """Return the ceremony in plain words; raises ProtocolError when the new manifest cannot follow."""
    proposed, held = read.proposed, ceremony.in_force(read)
    changed = ceremony.changes(read)
    issued = datetime.fromtimestamp(proposed.issued_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return [
        f"municipality     {proposed.municipality.hex()}",
        f"version          {held.version if held else 'none'} -> {proposed.version}",
        f"issued           {issued}",
        *_roots(held, proposed),
        *_keys("new key", changed.added),
        *_keys("removed key", changed.removed),
        *_keys("kept key", changed.kept),
        *_signed(read, held, proposed),
    ]


def _roots(held: Manifest | None, proposed: Manifest) -> list[str]:
    if held is None:
        return [f"root fingerprint {proposed.roots.fingerprint.hex()} (the first)"]
    before, after = held.roots.fingerprint.hex(), proposed.roots.fingerprint.hex()
    if before == after:
        return [f"root fingerprint {before}"]
    return [
        "ROOT KEYS CHANGE",
        f"  from           {before}",
        f"  to             {after}, {proposed.roots.threshold} of {len(proposed.roots.keys)} sign",
        *(f"  new root       {key.hex()}" for key in sorted(set(proposed.roots.keys) - set(held.roots.keys))),
        *(f"  root leaves    {key.hex()}" for key in sorted(set(held.roots.keys) - set(proposed.roots.keys))),
    ]


def _keys(what: str, keys: tuple[RoleKey, ...]) -> list[str]:
    return [f"{what:<16} {one.role.name.lower():<9} {one.kid.hex()} {one.public.hex()}" for one in keys]


def _signed(read: Ceremony, held: Manifest | None, proposed: Manifest) -> list[str]:
    found = []
    for name, roots in (("old", held.roots if held else None), ("new", proposed.roots)):
        if roots is not None and not (name == "old" and held and held.roots == proposed.roots):
            present = len(_present(read, roots))
            found.append(f"signed           {present} of {roots.threshold} needed of the {name} roots")
    return found


def _present(read: Ceremony, roots: RootSet) -> set[bytes]:
    """Signatures by roots that are older still belong to others; they are the server's to check."""
    if not read.signatures:
        return set()
    try:
        return manifest.signed_by(read.signed, roots.keys)
    except SignatureError as error:
        raise SignatureError("a signature on the file does not hold") from error
