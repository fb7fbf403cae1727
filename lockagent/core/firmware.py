"""Taking in a new program for the lock, and showing that one comes up.

Bytes are believed on the disk only when the disk says so, the image only when the whole of it has the signed
digest. The lock restarts when nobody is at the door and nothing moves. Everything else is the loader's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from lockagent.core import selftest
from lockagent.core.context import Context
from lockagent.core.events import FirmwareStep, Restart
from lockagent.core.session import Session
from lockagent.image import (
    Begin,
    Chunk,
    Confirm,
    Drop,
    FirmwareBoot,
    Incoming,
    Report,
    Reported,
    Result,
    Stage,
    Step,
)
from lockagent.records import Boot
from protocol import firmware
from protocol.entries import Entry, EntryType
from protocol.errors import ProtocolError
from protocol.firmware import FirmwareChunk, FirmwareOffer, FirmwareResult, Header
from protocol.reasons import Reason


class Updates:
    """The lock's own program, as far as the core has to do with it."""

    def __init__(self, context: Context, firmware_boot: FirmwareBoot | None, log: Boot) -> None:
        """`firmware_boot` None: nothing here could choose between two images."""
        self._context = context
        self._boot = firmware_boot
        self._incoming = firmware_boot.incoming if firmware_boot is not None else None
        self._taking: dict[int, bytes] = {}
        """Digest of the image that a link's session was granted."""
        self._writing = False
        self._settled_at: float | None = None
        self._restarting = False
        self._newest = _newest_report(log) if firmware_boot is not None and firmware_boot.report else None

    def started(self) -> None:
        """Say what the loader left to be said, and begin to count if this image is on trial."""
        boot = self._boot
        if boot is None:
            return
        if boot.trial:
            self._settled_at = self._context.mono + boot.settle_seconds
        if boot.report is not None:
            self._report(boot.report)

    def offer(self, session: Session, offer: FirmwareOffer, *, busy: bool) -> None:
        """Judge a release's header, make room for its image, say where to go on."""
        try:
            header = self._judged(offer)
        except _RefusedError as refused:
            session.send(FirmwareResult(refused.reason, 0))
            return
        incoming = self._incoming
        self._taking[session.link.number] = header.digest
        if incoming is not None and incoming.signed == offer.header:
            self._go_on(session, incoming)
        elif busy or self._writing:
            session.send(FirmwareResult(Reason.FIRMWARE_BUSY, 0))
        else:
            self._begin(session, offer.header, header)

    def _go_on(self, session: Session, incoming: Incoming) -> None:
        """Say where; a whole image that the power cut before its last word is looked at now."""
        if incoming.received < incoming.header.size or incoming.staged or self._writing:
            session.send(FirmwareResult(Reason.GRANTED, incoming.received))
        else:
            self._complete(session, incoming)

    def chunk(self, session: Session, chunk: FirmwareChunk, *, busy: bool) -> None:
        """Take in the next bytes; the last ones complete the image, or show that it is another."""
        incoming = self._incoming
        wanted = self._taking.get(session.link.number)
        if incoming is None or incoming.header.digest != wanted:
            session.send(FirmwareResult(Reason.FIRMWARE_OUT_OF_PLACE, 0))
            return
        fits = chunk.offset == incoming.received and chunk.offset + len(chunk.data) <= incoming.header.size
        if not fits:
            session.send(FirmwareResult(Reason.FIRMWARE_OUT_OF_PLACE, incoming.received))
        elif busy or self._writing or self._restarting:
            session.send(FirmwareResult(Reason.FIRMWARE_BUSY, incoming.received))
        else:
            self._take(session, incoming, chunk)

    def forget(self, link: int) -> None:
        """A link is gone."""
        self._taking.pop(link, None)

    def settle(self, *, quiet: bool) -> None:
        """Restart into a whole image when nothing moves, nothing is planned and nobody is here."""
        incoming = self._incoming
        if incoming is None or not incoming.staged or self._restarting or self._writing:
            return
        if quiet and self._vouched(incoming):
            self._restarting = True
            self._context.emit(Restart())
        elif quiet:
            self._drop(incoming, lambda: None)

    def tick(self) -> None:
        """An image on trial has run for long enough: look whether it can do what a lock must."""
        if self._settled_at is None or self._context.mono < self._settled_at:
            return
        self._settled_at = None
        if not selftest.passes(self._context):
            self._give_up()
            return
        self._context.save(self._wrote)

    def next_at(self) -> float | None:
        """When `tick` has something to do."""
        return self._settled_at

    def _judged(self, offer: FirmwareOffer) -> Header:
        boot, binding = self._boot, self._context.binding
        if boot is None or binding is None:
            raise _RefusedError(Reason.FIRMWARE_UNSUPPORTED)
        try:
            header = firmware.verify(offer.header, binding.manifest)
        except ProtocolError:
            raise _RefusedError(Reason.FIRMWARE_INVALID) from None
        reason = firmware.judge(header, boot.running)
        if reason is not Reason.GRANTED:
            raise _RefusedError(reason)
        incoming = self._incoming
        waits = incoming is not None and incoming.staged and incoming.signed != offer.header
        if boot.trial or waits:
            raise _RefusedError(Reason.FIRMWARE_BUSY)
        return header

    def _begin(self, session: Session, signed: bytes, header: Header) -> None:
        self._incoming = None

        def begun(ok: bool) -> None:
            if ok:
                self._incoming = Incoming(signed, header, 0, sha256())
            session.send(FirmwareResult(Reason.GRANTED if ok else Reason.LOCK_FAULT, 0))

        self._step(Begin(signed), begun)

    def _take(self, session: Session, incoming: Incoming, chunk: FirmwareChunk) -> None:
        so_far = incoming.so_far.copy()
        so_far.update(chunk.data)
        longer = replace(incoming, received=chunk.offset + len(chunk.data), so_far=so_far)

        def written(ok: bool) -> None:
            if not ok:
                session.send(FirmwareResult(Reason.LOCK_FAULT, incoming.received))
                return
            self._incoming = longer
            if longer.received < longer.header.size:
                session.send(FirmwareResult(Reason.GRANTED, longer.received))
            else:
                self._complete(session, longer)

        self._step(Chunk(chunk.offset, chunk.data), written)

    def _complete(self, session: Session, incoming: Incoming) -> None:
        """All bytes are there: they are the signed image, or they are for nothing."""
        if incoming.so_far.digest() != incoming.header.digest:
            self._drop(incoming, lambda: session.send(FirmwareResult(Reason.FIRMWARE_DAMAGED, 0)))
            return
        if not self._vouched(incoming):
            self._drop(incoming, lambda: session.send(FirmwareResult(Reason.FIRMWARE_INVALID, 0)))
            return

        def staged(ok: bool) -> None:
            # If not: the bytes are there, and offering the same again brings the last word.
            self._incoming = replace(incoming, staged=ok)
            session.send(FirmwareResult(Reason.GRANTED if ok else Reason.LOCK_FAULT, incoming.received))

        self._step(Stage(), staged)

    def _vouched(self, incoming: Incoming) -> bool:
        """Whether the manifest still has the key that signed; it may have gone since the image came."""
        binding = self._context.binding
        try:
            return binding is not None and bool(firmware.verify(incoming.signed, binding.manifest))
        except ProtocolError:
            return False

    def _drop(self, incoming: Incoming, then: Callable[[], None]) -> None:
        def dropped(_: bool) -> None:
            self._incoming = replace(incoming, received=0, so_far=sha256(), staged=False)
            then()

        self._step(Drop(), dropped)

    def _wrote(self, ok: bool) -> None:
        """The store took a write: the last thing a lock must be able to do."""
        boot = self._boot
        if not ok or boot is None:
            self._give_up()
            return

        def confirmed(ok: bool) -> None:
            if not ok:
                self._give_up()
                return
            self._boot = replace(boot, trial=False)
            self._report(Report(boot.previous, boot.running.version, Result.CONFIRMED))

        self._step(Confirm(), confirmed)

    def _report(self, report: Report) -> None:
        """Log once what came of a change; the same as the newest such entry has been logged already."""
        detail = (report.before, report.after, int(report.result))

        def logged(seq: int | None) -> None:
            if seq is not None:
                self._step(Reported(), lambda _: None)

        if self._newest == detail:
            logged(0)
        else:
            self._context.journal.append(EntryType.FIRMWARE, detail, logged)

    def _give_up(self) -> None:
        """This image cannot do its work: let the loader try again or go back."""
        self._restarting = True
        self._context.emit(Restart())

    def _step(self, step: Step, then: Callable[[bool], None]) -> None:
        self._writing = True

        def stored(ok: bool) -> None:
            self._writing = False
            then(ok)

        self._context.disk.push(lambda: FirmwareStep(step), stored)


class _RefusedError(Exception):
    """An offer the lock does not take."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.slug)
        self.reason = reason


def _newest_report(log: Boot) -> tuple[object, ...] | None:
    """The detail of the newest *firmware* entry the log holds."""
    for record in reversed(log.records):
        entry = Entry.decode(record.entry)
        if entry.kind == EntryType.FIRMWARE:
            return entry.detail
    return None
