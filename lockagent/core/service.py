"""What only an installer's phone asks for: who the lock is, a door for it, the end of its binding.

It is asked in a service session, or in a session with a blank lock in setup, where a door is all that can be
given. Nothing here moves a bolt.
"""

from __future__ import annotations

from collections.abc import Callable

from lockagent.core import commissioning
from lockagent.core.context import Context
from lockagent.core.session import Session
from protocol import identity
from protocol.installing import CommissionOffer, CommissionResult, Identity, IdentityRequest, RetireOffer
from protocol.messages import PhoneMessage
from protocol.reasons import Reason


class Service:
    """Answers installers."""

    def __init__(self, context: Context, busy: Callable[[], bool], alone: Callable[[Session], None]) -> None:
        """`busy`: a phone is acting at the door. `alone`: end every session and link but this one's."""
        self._context = context
        self._busy = busy
        self._alone = alone

    def take(self, session: Session, said: PhoneMessage) -> bool:
        """Take in a message; False when it has no place in this session."""
        match said:
            case IdentityRequest() if session.serving or session.setup:
                session.send(Identity(self._document(), self._binding()))
            case CommissionOffer() if session.serving or session.setup:
                self._commission(session, said)
            case RetireOffer() if session.serving:
                self._retire(session, said)
            case _:
                return False
        return True

    def _commission(self, session: Session, offer: CommissionOffer) -> None:
        def answer(reason: Reason) -> None:
            session.send(CommissionResult(reason, self._binding()))
            if reason is Reason.GRANTED and session.setup:
                self._alone(session)  # setup is over, for whoever else knows the label too

        if self._busy():
            answer(Reason.COMMISSION_BUSY)
        else:
            commissioning.take_encoded(self._context, offer.package, answer)

    def _retire(self, session: Session, offer: RetireOffer) -> None:
        def answer(reason: Reason) -> None:
            session.send(CommissionResult(reason, self._binding()))
            if self._context.binding is None:
                # Whatever was begun under the binding is over, and nobody is greeted any more: not even when
                # the disk would not take the last word on it.
                self._alone(session)
                self._context.fall_silent()

        if self._busy():
            answer(Reason.COMMISSION_BUSY)
        else:
            commissioning.forget(self._context, offer.order, session.own, answer)

    def _document(self) -> bytes:
        secrets = self._context.secrets
        return identity.sign(secrets.identity, secrets.log_key)

    def _binding(self) -> bytes | None:
        binding = self._context.binding
        return binding.bulletin.binding if binding is not None else None
