"""What the lock remembers between boots beside its log: the payload of the state record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lockagent.core.clock import Anchor
from protocol import bulletin, cbor, fields, lockrecord, manifest
from protocol.bulletin import Bulletin
from protocol.errors import ProtocolError
from protocol.manifest import Manifest, RootSet

_VERSION = 1
_MAX_SIZE = 24 * 1024


class UnreadableMemoryError(ValueError):
    """A whole state record that this version of the agent cannot read; another version may."""


@dataclass(frozen=True)
class Binding:
    """The door the lock sits on, and the newest news about it; without adv_keys the door it sat on last."""

    manifest: Manifest
    manifest_bytes: bytes
    bulletin: Bulletin
    bulletin_bytes: bytes
    adv_keys: tuple[bytes, ...] = field(repr=False)

    def ended(self) -> Binding:
        """The same without its secrets."""
        return replace(self, adv_keys=())


@dataclass(frozen=True)
class Memory:
    """Everything saved at once. `day`, `hand_count`: see `hands`.

    `binding` is None for a new lock. One that has been taken off its door keeps its last binding without
    adv_keys: whose it is, and what it may not be led back to.
    """

    binding: Binding | None
    clock: Anchor
    boots: int = 0
    day: int = 0
    hand_count: int = 0

    def encode(self) -> bytes:
        """Return the payload of the state record."""
        at = self.clock
        clock = [at.time, at.rtc, at.lower, int(at.certain), at.ppm, at.ahead]
        return cbor.encode([_VERSION, _packed(self.binding), clock, self.boots, self.day, self.hand_count])

    @classmethod
    def decode(cls, payload: bytes) -> Memory:
        """Inverse of `encode`; an empty payload is a lock that knows nothing.

        The bulletin's signature was checked when it came; the storage's checksum vouches for it since.
        """
        if not payload:
            return BLANK
        value = fields.array(cbor.decode(payload, max_size=_MAX_SIZE), 6, "lock memory")
        version, binding, clock, boots, day, hand_count = value
        if version != _VERSION:
            raise UnreadableMemoryError(f"the store is of version {version}, this agent reads {_VERSION}")
        counts = [fields.uint(one, fields.MAX_COUNTER, "count") for one in (boots, day, hand_count)]
        return cls(_unpacked(binding), _anchor(clock), *counts)


BLANK = Memory(binding=None, clock=Anchor(time=0, rtc=0, lower=0, certain=False))


def _anchor(value: object) -> Anchor:
    time, rtc, lower, certain, ppm, ahead = fields.array(value, 6, "lock clock")
    if not all(type(one) is int for one in (time, rtc, lower, ppm, ahead)):
        raise ProtocolError("lock clock must be integers")
    return Anchor(time, rtc, lower, fields.uint(certain, 1, "certain") == 1, ppm, ahead)


def _packed(binding: Binding | None) -> list[object] | None:
    if binding is None:
        return None
    roots = binding.manifest.roots
    return [
        list(roots.keys),
        roots.threshold,
        binding.manifest_bytes,
        binding.bulletin_bytes,
        list(binding.adv_keys),
    ]


def _unpacked(value: object) -> Binding | None:
    if value is None:
        return None
    roots, threshold, manifest_bytes, bulletin_bytes, adv_keys = fields.array(value, 5, "binding")
    fields.blob(manifest_bytes, manifest.MAX_SIZE, "manifest")
    fields.blob(bulletin_bytes, bulletin.MAX_SIZE, "bulletin")
    listed = fields.items(roots, manifest.MAX_ROOTS, "roots")
    keys = tuple(fields.octets(one, 32, "root key") for one in listed)
    trusted = RootSet(keys, fields.uint(threshold, manifest.MAX_ROOTS, "threshold"))
    return Binding(
        manifest=manifest.verify(manifest_bytes, trusted),
        manifest_bytes=manifest_bytes,
        bulletin=bulletin.parse(bulletin_bytes).body,
        bulletin_bytes=bulletin_bytes,
        adv_keys=() if adv_keys == [] else lockrecord.adv_keys(adv_keys),
    )
