"""Sessions: judge what a phone asks, tell it the decision, take what it brings, give it log to carry."""

from __future__ import annotations

from lockagent.core.actor import Actor
from lockagent.core.context import Context
from lockagent.core.firmware import Updates
from lockagent.core.judge import Bench, Hearing, judge
from lockagent.core.links import Introduced, Link, Links
from lockagent.core.news import News
from lockagent.core.offers import sealed_batch
from lockagent.core.service import Service
from lockagent.core.session import Session
from protocol import gatt, messages
from protocol.entries import EntryType, Refused
from protocol.errors import ProtocolError
from protocol.firmware import FirmwareChunk, FirmwareOffer
from protocol.framing import Kind
from protocol.installing import SetupRequest
from protocol.messages import BulletinOffer, Carry, Decision, DecisionFlag, FreshTime
from protocol.reasons import Reason


class Reception:
    """Everybody who has been let in to talk."""

    def __init__(self, context: Context, links: Links, updates: Updates) -> None:
        self._updates = updates
        self._context = context
        self._links = links
        self._sessions: dict[int, Session] = {}
        self.actor = Actor(context, self._decide)
        self._news = News(context, self._judge)
        self._service = Service(context, lambda: self._moving, self._alone)

    def welcome(self, link: Link, phone: Introduced) -> None:
        """A phone is authenticated: judge its request."""
        session = Session(link, phone, self._links, heard_at=self._context.mono)
        self._sessions[link.number] = session
        if self._context.binding is None:
            self._set_up(session)
        else:
            self._judge(session)

    def down(self, number: int) -> None:
        """A link is gone, and the session with it; what it started goes on."""
        self._sessions.pop(number, None)
        self._updates.forget(number)

    def frame(self, link: Link, frame: bytes) -> None:
        """Take in a frame of a session message; whatever does not belong there ends the link."""
        session = self._sessions.get(link.number)
        if session is None:
            return
        try:
            message = link.reassembler.feed(frame)
            if message is None:
                return
            if message.kind is not Kind.SESSION:
                raise ProtocolError("not a session message")
            said = messages.parse_from_phone(session.phone.channel.decrypt(message.body))
        except ProtocolError:
            self._end(session)
            return
        session.heard_at = self._context.mono
        self._take(session, said)

    def over_at(self, number: int) -> float | None:
        """Since when the session on a link has had its last word; None while it has not, or there is none."""
        session = self._sessions.get(number)
        return session.over_at if session is not None and session is not self._in_service() else None

    def tick(self) -> None:
        """End sessions that fell silent, let the actor look at the time, hand over what waits."""
        self.actor.tick()
        for session in list(self._sessions.values()):
            if self._context.mono >= self._ends_at(session):
                self._end(session)
            else:
                self._hand_over(session)

    def next_at(self) -> float | None:
        """When `tick` has something to do."""
        times = [self._ends_at(session) for session in self._sessions.values()]
        acting = self.actor.next_at()
        return min(times + ([] if acting is None else [acting]), default=None)

    def settle(self) -> None:
        """Hand over log to every session whose m3 is out by now."""
        for session in list(self._sessions.values()):
            self._hand_over(session)

    def _take(self, session: Session, said: messages.PhoneMessage) -> None:
        if self._out_of_place(session, said):
            self._end(session)
            return
        match said:
            case BulletinOffer():
                self._news.bulletin(session, said)
            case FreshTime():
                self._news.fresh_time(session, said)
            case FirmwareOffer() | FirmwareChunk():
                self._firmware(session, said)
            case Carry():
                session.carry = said.max_bytes
            case _:
                if not self._service.take(session, said):
                    self._end(session)

    def _out_of_place(self, session: Session, said: messages.PhoneMessage) -> bool:
        """Setup is for an installer's questions alone; and a lock without a door takes no news of one."""
        news = isinstance(said, BulletinOffer | FreshTime)
        if session.setup:
            return news or isinstance(said, Carry)
        return news and self._context.binding is None

    @property
    def quiet(self) -> bool:
        """Whether nobody is here who was granted anything, nothing moves and nothing is planned.

        Whoever was refused does not count: former staff could keep a lock from its new program for ever.
        """
        here = any(not session.refused for session in self._sessions.values())
        return not here and not self._moving and self._context.relock.plan is None

    @property
    def _moving(self) -> bool:
        return self.actor.current is not None or self._context.relock.running is not None

    def _firmware(self, session: Session, said: FirmwareOffer | FirmwareChunk) -> None:
        """A new program for the lock, from an installer only."""
        if not session.serving:
            self._end(session)
        elif isinstance(said, FirmwareOffer):
            self._updates.offer(session, said, busy=self._moving)
        else:
            self._updates.chunk(session, said, busy=self._moving)

    def _judge(self, session: Session) -> None:
        context = self._context
        if context.binding is None:
            raise RuntimeError("a session without a binding")
        acting = self.actor.current
        bench = Bench(
            binding=context.binding,
            clock=context.clock,
            mono=context.mono,
            known=context.known,
            uncertain=context.uncertain,
            busy_with=acting.key if acting is not None else None,
            reserve_only=context.reserve_only,
        )
        hearing = session.hearing = judge(Hearing(bench, session.phone.holder, session.phone.plaintext))
        if hearing.reason is not Reason.GRANTED:
            self._refuse(session, hearing)
        elif hearing.known is not None:
            self.actor.repeat(session, hearing)
        else:
            self.actor.begin(session, hearing)

    def _set_up(self, session: Session) -> None:
        """The lock has no door: whoever knows its label may give it one. Nothing is logged before that."""
        journal = self._context.journal
        try:
            SetupRequest.parse(session.phone.plaintext)
        except ProtocolError:
            session.send(Decision(Reason.MALFORMED, journal.epoch, journal.head, 0))
            self._end(session)
            return
        session.setup, session.decided_at = True, self._context.mono
        session.send(Decision(Reason.GRANTED, journal.epoch, journal.head, 0))

    def _refuse(self, session: Session, hearing: Hearing) -> None:
        """Log the refusal (or count it), then say it."""
        context, phone = self._context, session.phone.holder.fingerprint
        token_id = hearing.unverified.claims.token_id if hearing.unverified is not None else None
        flags = DecisionFlag.TIME_UNCERTAIN if hearing.time_uncertain else DecisionFlag.NONE
        seq_held = context.binding.bulletin.seq if context.binding is not None else 0

        def say(seq: int | None) -> None:
            reason = hearing.reason if seq is not None else Reason.LOCK_FAULT
            number = context.journal.head if seq is None else seq
            self._decide(session, Decision(reason, context.journal.epoch, number, seq_held, flags))

        if not context.failures.lists((phone, hearing.reason, token_id), context.mono):
            context.failures.count(context.now(), context.mono)
            say(context.journal.head)
            return
        request = hearing.request
        detail = Refused(
            reason=hearing.reason,
            command=None if request is None else request.command,
            request_id=None if request is None else request.request_id,
            phone=phone,
            bulletin_seq=seq_held,
        )
        context.journal.append(EntryType.REFUSED, detail.detail(), say, token_id)

    def _decide(self, session: Session, decision: Decision) -> None:
        session.decided_at = self._context.mono if session.decided_at is None else session.decided_at
        if decision.flags & DecisionFlag.REPEATED:
            after = self._context.journal.head + 1
            session.own = range(after, after)
        else:
            session.own = range(decision.seq, decision.seq + 2)
        session.send(decision)

    def _hand_over(self, session: Session) -> None:
        """Once m3 is out and the phone has said what it takes: its stretch of log, accepted tokens only."""
        context = self._context
        if session.carry is None or not (session.refused or session.finished_at is not None):
            return
        session.hand_over(self._batch(session), 0 if session.refused else context.journal.unreceipted)

    def _batch(self, session: Session) -> bytes | None:
        """What this phone gets to carry: nothing for the refused; long after m3 only installers."""
        context = self._context
        binding = context.binding or context.former
        if session.serving and session.offered is None:
            session.offered = (1, context.journal.head)  # asked for more: whatever has no receipt
        if session.offered is None or session.finished_at is None or binding is None:
            return None
        if context.mono > session.finished_at + gatt.LOG_SESSION_SECONDS and not session.serving:
            return None
        return sealed_batch(
            context.journal,
            session.offered,
            context.courier(session.phone.holder, session.takes),
            context.log_key,
            binding.manifest.sealing_key,
        )

    def _ends_at(self, session: Session) -> float:
        """When the link is ended: after silence, or so long after the last word due, whatever is said."""
        acting = self.actor.current
        if acting is not None and session in acting.sessions:
            return float("inf")
        heard = session.heard_at + gatt.SESSION_SECONDS
        if session.over_at is None:
            return heard
        longest = gatt.SERVICE_SECONDS if session is self._in_service() else gatt.SESSION_SECONDS
        return min(heard, session.over_at + longest)

    def _in_service(self) -> Session | None:
        """The one service session with the longer life, the newest: an installer's work takes time."""
        serving = [session for session in self._sessions.values() if session.serving or session.setup]
        return max(serving, key=lambda session: session.link.number, default=None)

    def _alone(self, session: Session) -> None:
        """End every session and every link but this one."""
        self._sessions = {session.link.number: session}
        self._links.end_others(session.link.number)

    def _end(self, session: Session) -> None:
        self._sessions.pop(session.link.number, None)
        self._links.end(session.link.number)
