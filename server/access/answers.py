"""Lines of the page "who may open": verdicts in words, with what stands in the way of a right that is given.

A right alone opens nothing: it needs a phone, and a key that nobody has revoked by hand. Both are told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from server.access.decision import Opener
from server.access.duties import Duty, key_of
from server.access.models import ExtraRight
from server.access.reasons import WhyNot
from server.access.rules import Decision, Ground, Refusal, Right
from server.access.token_queries import bearers_of, taken_by_hand
from server.care.models import Client
from server.people.models import StaffMember
from server.places.models import Door
from server.tenancy.scoping import Viewer


@dataclass(frozen=True)
class Line:
    """One line of the answer: a person or a door, and why or why not."""

    title: str
    link_kind: str
    link_id: int | None
    opens: bool
    why: str
    right: Right | None = None
    duty: Duty | None = None

    @property
    def extra(self) -> ExtraRight | None:
        """The right beside the plan that it rests on, if it does."""
        return self.duty if isinstance(self.duty, ExtraRight) else None


@dataclass
class Sights:
    """What the viewer may see of an answer that knows everything; asked in bulk, once a kind."""

    narrow: bool
    provider: int | None
    clients: set[int] = field(default_factory=set)
    doors: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, viewer: Viewer | None) -> Sights:
        """Return everything for somebody who sees the whole municipality."""
        return cls(narrow=viewer is not None, provider=viewer.provider if viewer else None)

    def look(self, clients: Iterable[Client], doors: Iterable[Door]) -> None:
        """Find out which of these may be seen; must run in the viewer's scope."""
        if self.narrow:
            named = {client.pk for client in clients}
            self.clients |= set(Client.objects.filter(pk__in=named).values_list("pk", flat=True))
            wanted = {door.pk for door in doors}
            self.doors |= set(Door.objects.filter(pk__in=wanted).values_list("pk", flat=True))

    def codes(self, grounds: Iterable[Ground]) -> list[str]:
        """Return the alarm codes that may be named, sorted."""
        seen = {ground.client for ground in grounds if not self.narrow or ground.client.pk in self.clients}
        return sorted(client.alarm_code for client in seen)


def opener_lines(openers: Sequence[Opener], sights: Sights, *, at: datetime) -> list[Line]:
    """Return a line for each person with a duty at one door; a provider sees its own people."""
    own = [one for one in openers if not sights.narrow or one.duty.provider_id == sights.provider]
    sights.look((ground.client for one in own if one.right for ground in one.right.grounds), ())
    bearers = bearers_of({one.duty.staff_id for one in own})
    taken = taken_by_hand([key_of(one.duty) for one in own])
    lines = []
    for one in own:
        keys = bearers.get(one.duty.staff_id, [])
        left = [key for key in keys if (key_of(one.duty), key.pk, _binding(one.right)) not in taken]
        lines.append(_opener_line(one, sights, has_phone=bool(keys), has_key=bool(left)))
    return lines


def _binding(right: Right | None) -> int:
    return right.binding.pk if right else 0


def _opener_line(one: Opener, sights: Sights, *, has_phone: bool, has_key: bool) -> Line:
    staff: StaffMember = one.duty.staff
    link = ("staff", staff.pk)
    if one.right is None:
        why = _in_words(one.why_not) if one.why_not else ""
        return Line(staff.name, *link, opens=False, why=why, duty=one.duty)
    if not has_phone:
        return Line(staff.name, *link, opens=False, why=_("No phone is enrolled."), duty=one.duty)
    if not has_key:
        why = _("The key was revoked by hand and is not given again for this duty.")
        return Line(staff.name, *link, opens=False, why=why, duty=one.duty)
    return Line(staff.name, *link, True, _grounds(one.right.grounds, one.duty, sights), one.right, one.duty)


def person_lines(
    duties: Sequence[Duty], decisions: Mapping[Duty, Decision], sights: Sights
) -> tuple[list[Line], int]:
    """Return a line for each door of one person, and how many doors the viewer may not see."""
    rights = [(duty, right) for duty in duties for right in decisions[duty].rights]
    refusals = [(duty, refusal) for duty in duties for refusal in decisions[duty].refusals]
    clients = [ground.client for _duty, right in rights for ground in right.grounds]
    clients += [refusal.client for _duty, refusal in refusals if refusal.client]
    doors = [right.door for _duty, right in rights]
    sights.look(clients, [*doors, *(refusal.door for _duty, refusal in refusals if refusal.door)])
    taken = taken_by_hand([key_of(duty) for duty in duties]) if duties else set()
    by_hand = {(key, binding) for key, _bearer, binding in taken}
    lines = [
        _right_line(duty, right, sights, taken=(key_of(duty), right.binding.pk) in by_hand)
        for duty, right in rights
        if not sights.narrow or right.door.pk in sights.doors
    ]
    hidden = len(rights) - len(lines)
    lines += [_refusal_line(duty, refusal) for duty, refusal in refusals if _may_be_told(refusal, sights)]
    return lines, hidden


def _may_be_told(refusal: Refusal, sights: Sights) -> bool:
    if not sights.narrow or (refusal.door is None and refusal.client is None):
        return True
    if refusal.client is not None and refusal.client.pk not in sights.clients:
        return False
    return refusal.door is None or refusal.door.pk in sights.doors


def _right_line(duty: Duty, right: Right, sights: Sights, *, taken: bool) -> Line:
    why = _grounds(right.grounds, duty, sights)
    if taken:
        why = _("A key was revoked by hand and is not given again for this duty.")
    return Line(str(right.door), "door", right.door.pk, not taken, why, None if taken else right, duty)


def _refusal_line(duty: Duty, refusal: Refusal) -> Line:
    whole = _("The whole shift") if not isinstance(duty, ExtraRight) else _("The whole right")
    title = str(refusal.door) if refusal.door else str(refusal.client or whole)
    link = refusal.door.pk if refusal.door else None
    return Line(title, "door", link, False, _in_words(refusal.reason), None, duty)


def _grounds(grounds: Sequence[Ground], duty: Duty, sights: Sights) -> str:
    parts = []
    planned = [ground for ground in grounds if ground.standing is None]
    own = sights.codes(ground for ground in planned if not ground.on_the_way)
    way = sights.codes(ground for ground in planned if ground.on_the_way)
    if isinstance(duty, ExtraRight):
        parts.append(f"{duty.get_kind_display()}: {duty.get_reason_display()}".capitalize())
    if own:
        parts.append(_("Care at %(codes)s") % {"codes": ", ".join(own)})
    if way:
        parts.append(_("On the way to %(codes)s") % {"codes": ", ".join(way)})
    standing = {ground.standing for ground in grounds if ground.standing is not None}
    parts += [_("Standing right: %(where)s") % {"where": right.where} for right in standing]
    return " · ".join(parts)


def _in_words(reason: WhyNot) -> str:
    return reason.en if get_language() == "en" else reason.sv
