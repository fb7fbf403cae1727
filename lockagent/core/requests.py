"""The last openings by request id, so that a repeated request is answered and never acted on twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from protocol.entries import Entry, EntryType, Granted, OutcomeDetail
from protocol.messages import OutcomeCode

REMEMBERED = 256


@dataclass(frozen=True)
class RequestKey:
    """What makes two requests the same: phone, command and id."""

    phone: bytes
    command: int
    request_id: bytes


@dataclass
class KnownRequest:
    """A request that was granted. `outcome` is None until the motor has answered."""

    granted_seq: int
    token_id: bytes
    epoch: int
    outcome: OutcomeCode | None = None
    outcome_seq: int = 0
    battery: int | None = None
    offered: tuple[int, int] | None = None


class KnownRequests:
    """The newest 256 granted requests of this lock, over sessions and reboots."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[RequestKey, KnownRequest] = OrderedDict()
        self._by_seq: dict[int, KnownRequest] = {}

    def recall(self, entries: Iterable[Entry], epoch: int) -> None:
        """Rebuild from log entries, oldest first."""
        for entry in entries:
            if entry.kind == EntryType.GRANTED and entry.token_id is not None:
                granted = Granted.parse(entry.detail)
                key = RequestKey(granted.phone, granted.command, granted.request_id)
                self.granted(key, KnownRequest(entry.seq, entry.token_id, epoch))
            elif entry.kind == EntryType.OUTCOME:
                self.outcome(entry.seq, OutcomeDetail.parse(entry.detail))

    def find(self, key: RequestKey) -> KnownRequest | None:
        """Return the request if it was granted before."""
        return self._by_key.get(key)

    def granted(self, key: RequestKey, request: KnownRequest) -> None:
        """Remember a request as its log entry is on disk; forget the oldest beyond the limit."""
        self._by_key[key] = request
        self._by_seq[request.granted_seq] = request
        if len(self._by_key) > REMEMBERED:
            _, oldest = self._by_key.popitem(last=False)
            # One of an earlier epoch may bear the number of another that is still to have its outcome.
            if self._by_seq.get(oldest.granted_seq) is oldest:
                del self._by_seq[oldest.granted_seq]

    def outcome(self, seq: int, detail: OutcomeDetail) -> None:
        """Remember what came of a granted request."""
        request = self._by_seq.get(detail.granted_seq)
        if request is not None:
            request.outcome = OutcomeCode(detail.outcome)
            request.outcome_seq = seq
            request.battery = detail.battery
            request.offered = detail.offered

    def open_ended(self) -> list[KnownRequest]:
        """Granted requests without an outcome, oldest first: what a reboot left unknown."""
        return [request for request in self._by_key.values() if request.outcome is None]

    def forget_numbers(self) -> None:
        """Keep the requests of an earlier log epoch for comparing only: their numbers are dead."""
        for request in self._by_key.values():
            request.outcome = request.outcome or OutcomeCode.UNKNOWN
        self._by_seq.clear()
