"""Deliberate taps on their way to the engine: the second joins the first, no older result shines through.

Until the engine has spoken, the last result of that door may still stand in the snapshot. Showing
it would be a lie (a green "open" while nothing has been asked yet), so until the engine speaks the tap itself
is what the screens show.
"""

from __future__ import annotations

from mobile.engine.errors import EngineError
from mobile.engine.state import Opening, OpeningState, Operation, Stage
from mobile.viewmodels.session import Session


class Taps:
    """One tap a door at most."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: dict[str, Opening] = {}
        self._stale: dict[str, Opening | None] = {}
        self._watched: set[str] = set()
        self._turn = 0
        session.listen(self._follow)

    def act(self, door_id: str, operation: Operation, *, early: bool = False) -> None:
        """Ask the engine, unless a tap for this door is being worked on.

        `early`: at a practice lock, with a right that does not hold yet.
        """
        if self.current(door_id).state.running:
            return
        self._watched.add(door_id)
        self._stale[door_id] = self._session.state.openings.get(door_id)
        self._shown[door_id] = Opening(door_id, operation, OpeningState.SEARCHING, early=early)
        engine = self._session.engine
        verb = engine.open_door if operation is Operation.OPEN else engine.lock_door
        verb = engine.ask_too_early if early else verb
        turn = self._turn
        self._session.changed()

        def over(result: Opening) -> None:
            if turn == self._turn:
                self._over(result)

        def failed(error: EngineError) -> None:
            if turn == self._turn:
                self._failed(door_id, operation, error)

        self._session.call(verb(door_id), over, failed)

    def current(self, door_id: str) -> Opening:
        """What to show for a door: idle when nobody has tapped."""
        said = self._session.state.openings.get(door_id)
        shown = self._shown.get(door_id)
        if shown is None or (said is not None and said != self._stale.get(door_id)):
            return said or Opening(door_id)
        return shown

    @property
    def running(self) -> bool:
        """True while any tap is under way."""
        return any(
            self.current(door_id).state.running for door_id in {*self._shown, *self._session.state.openings}
        )

    def finished(self) -> list[Opening]:
        """Taps that have ended since this was last asked: each once, wherever the person is by now."""
        over = [self.current(door_id) for door_id in self._watched]
        over = [opening for opening in over if not opening.state.running]
        self._watched -= {opening.door_id for opening in over}
        return over

    def forget(self, door_id: str) -> None:
        """The person has read the result."""
        self._shown.pop(door_id, None)
        self._stale.pop(door_id, None)

    def _follow(self) -> None:
        """A locked app forgets every tap: how one ends that was under way is nobody's to hear after."""
        if self._session.state.stage is not Stage.UNLOCKED and (self._shown or self._watched):
            self._turn += 1
            for kept in (self._shown, self._stale, self._watched):
                kept.clear()

    def _over(self, result: Opening) -> None:
        # The engine's snapshot follows its answer by a hop between threads; the answer is as true.
        self._shown[result.door_id] = result

    def _failed(self, door_id: str, operation: Operation, error: EngineError) -> None:
        self._shown[door_id] = Opening(door_id, operation, OpeningState.FAILED, error.code)
