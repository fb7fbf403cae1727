"""What else is read: frames, labels, firmware, orders, files handed about, and what a lock has stored."""

from __future__ import annotations

from dataclasses import replace

from fuzz import signing
from fuzz.comparison import ACCEPTED, REFUSED, compared, rewritten, vectors
from fuzz.luck import Luck
from fuzz.mutations import disturbed
from fuzz.target import FindingError, Tally, Target
from lockagent.core.clock import Anchor
from lockagent.core.memory import Binding, Memory, UnreadableMemoryError
from mobile.engine import deeplink
from mobile.engine.errors import EngineError
from protocol import ceremony, cose, evidence, firmware, framing, label, proof, retire
from protocol.ceremony import Ceremony
from protocol.errors import ProtocolError
from protocol.framing import Kind, Reassembler
from protocol.installing import SetupRequest
from tests.protocol.independent import door, form, installing, program, trust
from tests.protocol.test_proof import file_of
from tests.protocol.vectors import world

_PAGE_MANIFEST = trust.manifest(world.MANIFEST_BYTES, (sorted(key.public for key in world.ROOTS), 2))
_LIMIT = 512


# -- frames ----------------------------------------------------------------------------------------------


def _frames(data: bytes) -> list[bytes]:
    """The input as frames: each with its length before it, in two bytes."""
    found, at = [], 0
    while at + 2 <= len(data):
        length = int.from_bytes(data[at : at + 2], "big") % 520
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def _run_frames(data: bytes, tally: Tally) -> None:
    ours, page = Reassembler(_LIMIT), door.Frames(_LIMIT)
    for frame in _frames(data):
        tally.inputs += 1
        tally.compared += 1
        said, written = _ours(ours, frame), _page(page, frame)
        if said != written:
            raise FindingError(f"frame {frame.hex()}: ours says {said}, the page says {written}")
        tally.accepted += isinstance(said, tuple)


def _ours(reader: Reassembler, frame: bytes) -> object:
    try:
        message = reader.feed(frame)
    except ProtocolError:
        return REFUSED
    return None if message is None else (int(message.kind), message.body)


def _page(reader: door.Frames, frame: bytes) -> object:
    try:
        return reader.feed(frame)
    except form.MalformedError:
        return REFUSED


def _frame_seeds() -> list[bytes]:
    cut = [framing.fragment(kind, bytes(size), 20) for kind in Kind for size in (1, 19, 40, 600)]
    return [b"".join(len(one).to_bytes(2, "big") + one for one in frames) for frames in cut]


# -- what has text ---------------------------------------------------------------------------------------


def _our_label(data: bytes) -> object:
    try:
        return label.parse(data.decode())
    except UnicodeDecodeError:
        return REFUSED


def _our_link(data: bytes) -> object:
    try:
        return deeplink.parse(data.decode("latin-1"))
    except EngineError:
        return REFUSED


def _page_order(data: bytes) -> str:
    """For another lock: it is the signature and the form that are asked about."""
    said = installing.retired(data, bytes(8), bytes(8), _PAGE_MANIFEST)
    return REFUSED if said == "retire_invalid" else ACCEPTED


_LABEL = label.of_lock(world.LOCK.lock_id, world.LOCK_SEAL).text.encode()
_LINK = b"nyckelfri://enrol?server=https%3A%2F%2Fnyckel.kommunen.se&code=K7QF-2M9X-4TRB&root=" + b"0f" * 32


# -- what a lock has stored ------------------------------------------------------------------------------


def _our_memory(data: bytes) -> object:
    try:
        return Memory.decode(data)
    except UnreadableMemoryError:
        return REFUSED


def _memories() -> list[bytes]:
    held = Binding(
        world.MANIFEST, world.MANIFEST_BYTES, world.BULLETIN, world.BULLETIN_BYTES, (world.ADV_KEY,)
    )
    bound = Memory(held, Anchor(world.NOW, 5, world.NOW, certain=True, ppm=3, ahead=4), 7, 20_000, 2)
    return [bound.encode(), replace(bound, binding=None).encode()]


def _our_statement(data: bytes) -> object:
    return proof.judge(data).holds or REFUSED


def _spoilt(data: bytes, luck: Luck) -> bytes:
    return disturbed(data, luck)


PAPERS: tuple[Target, ...] = (
    Target("frames", _run_frames, _frame_seeds, _spoilt, ("framing.Reassembler.feed",)),
    compared(
        "firmware-header",
        lambda d: firmware.verify(d, world.MANIFEST),
        lambda d: trust.signed("firmware-header", d, form.limit("firmware header")).verify(
            _PAGE_MANIFEST.key(trust.FIRMWARE, form.read(form.read(d)[0])[4]), trust.aad("firmware")
        ),
        vectors("firmware"),
        sign=signing.one_signer(cose.context("firmware"), world.FIRMWARE_KEY),
        again=lambda d: firmware.sign(firmware.verify(d, world.MANIFEST), world.FIRMWARE_KEY),
        reads=("firmware.parse", "firmware.verify"),
    ),
    compared(
        "firmware-file",
        firmware.parse_file,
        program.release,
        vectors("firmware", "bytes", "file"),
        again=rewritten,
        reads=("firmware.parse_file",),
    ),
    compared(
        "retire-order",
        lambda d: retire.verify(d, world.MANIFEST),
        _page_order,
        vectors("retire"),
        sign=signing.one_signer(cose.context("retire"), world.BULLETIN_KEY),
        again=lambda d: retire.sign(retire.verify(d, world.MANIFEST), world.BULLETIN_KEY),
        reads=("retire.verify",),
    ),
    compared(
        "setup-request",
        SetupRequest.parse,
        lambda d: form.shaped("setup-request", d),
        lambda: [SetupRequest(bytes(8)).encode()],
        again=lambda d: SetupRequest.parse(d).encode(),
        reads=("installing.SetupRequest.parse",),
    ),
    compared("label", _our_label, None, lambda: [_LABEL], reads=("label.parse",)),
    compared(
        "ceremony",
        ceremony.parse,
        None,
        lambda: [Ceremony(None, cose.parse(world.MANIFEST_BYTES, max_size=2048).payload).encode()],
        again=lambda d: ceremony.parse(d).encode(),
        reads=("ceremony.parse",),
    ),
    compared(
        "statement",
        _our_statement,
        None,
        lambda: [file_of()],
        again=lambda d: evidence.encode(evidence.parse(d)),
        reads=("evidence.parse", "proof.judge", "statement.parse_claims", "statement.verify_claims"),
    ),
    compared("lock-memory", _our_memory, None, _memories, reads=("Memory.decode",)),
    compared("enrolment-link", _our_link, None, lambda: [_LINK], reads=("deeplink.parse",)),
)
