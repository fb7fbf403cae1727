"""A new program for a lock, carried by an installer's phone: it holds the bytes and vouches for none of them.

The lock says which release is for it, where it goes on, and whether the whole is what was signed. What was
carried stays with the lock, so whoever comes next goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from mobile.engine.answers import Body
from mobile.engine.errors import EngineError, ServerError
from protocol import firmware
from protocol.errors import ProtocolError
from protocol.firmware import FirmwareChunk, FirmwareOffer, FirmwareResult, Header
from protocol.messages import PhoneMessage
from protocol.reasons import Reason, reason

T = TypeVar("T")

WAIT_SECONDS = 1.0
"""Before asking again a lock that was busy or whose disk failed."""
PATIENCE = 20
"""So many such waits in one visit; a whole motor run is over by then."""
_AGAIN = frozenset({Reason.FIRMWARE_BUSY, Reason.LOCK_FAULT, Reason.FIRMWARE_OUT_OF_PLACE})
_NOT_FOR_THIS = frozenset({Reason.FIRMWARE_WRONG_MODEL})
_NOTHING_TO_DO = frozenset(
    {Reason.FIRMWARE_CURRENT, Reason.FIRMWARE_OLD, Reason.FIRMWARE_FELL_BACK, Reason.FIRMWARE_UNSUPPORTED}
)

Fetch = Callable[[int], Awaitable[bytes]]
"""The image of a release, by the server's number."""
Progress = Callable[[int, int], None]
"""Told (bytes the lock has, bytes in all)."""


class Asks(Protocol):
    """A service session with one lock."""

    async def ask(self, message: PhoneMessage, kind: type[T]) -> T:
        """Say something and return the lock's answer."""
        ...


@dataclass(frozen=True)
class Release:
    """What the server has to hand out."""

    release_id: int
    signed: bytes = field(repr=False)
    header: Header


def releases(answer: Body) -> tuple[Release, ...]:
    """Read the server's list. Raises ServerError for a header that is none."""
    try:
        return tuple(
            Release(one.number("id"), signed, firmware.parse(signed))
            for one in answer.objects("releases")
            for signed in (one.blob("header"),)
        )
    except ProtocolError:
        raise ServerError("server_error", why="unexpected firmware header") from None


def image(answer: Body) -> bytes:
    """Read the image of a release. Raises ServerError."""
    return answer.blob("image", most=firmware.MAX_IMAGE)


async def renew(
    talk: Asks,
    offered: Sequence[Release],
    fetch: Fetch,
    progress: Progress,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> int | None:
    """Give the lock the release that is for it; its version, or None when there is nothing newer for it.

    Raises EngineError with the lock's reason, and firmware_damaged when what the server gave is not what was
    signed.
    """
    for release in offered:
        answer = await talk.ask(FirmwareOffer(release.signed), FirmwareResult)
        if answer.reason in _NOTHING_TO_DO:
            return None
        if answer.reason not in _NOT_FOR_THIS:
            image = b"" if _whole(answer, release) else await fetch(release.release_id)
            return await _carry(talk, release, answer, image, progress=progress, pause=pause)
    return None


async def _carry(
    talk: Asks,
    release: Release,
    answer: FirmwareResult,
    image: bytes,
    *,
    progress: Progress,
    pause: Callable[[float], Awaitable[None]],
) -> int:
    if not _whole(answer, release) and not release.header.describes(image):
        raise EngineError("firmware_damaged")
    waits = 0
    while not _whole(answer, release):
        if answer.reason == Reason.GRANTED:
            at, part = answer.next, image[answer.next : answer.next + firmware.MAX_CHUNK]
            if not part or waits > PATIENCE:  # a lock that never gets on must not keep the phone
                raise EngineError(_slug(Reason.FIRMWARE_OUT_OF_PLACE))
            progress(at, release.header.size)
            answer = await talk.ask(FirmwareChunk(at, part), FirmwareResult)
            waits += answer.reason == Reason.GRANTED and answer.next <= at
            continue
        waits += 1
        if answer.reason not in _AGAIN or waits > PATIENCE:
            raise EngineError(_slug(answer.reason))
        await pause(WAIT_SECONDS)
        answer = await talk.ask(FirmwareOffer(release.signed), FirmwareResult)
    progress(release.header.size, release.header.size)
    return release.header.version


def _whole(answer: FirmwareResult, release: Release) -> bool:
    return answer.reason == Reason.GRANTED and answer.next == release.header.size


def _slug(code: int) -> str:
    known = reason(code)
    return known.slug if known is not None else "unexpected"
