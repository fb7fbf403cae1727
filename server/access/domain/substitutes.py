"""Letting in a substitute who came this morning: person, shift, sign-in and enrolment code, in one go.

A coordinator does it without an administrator. Everything a phone asks for is kept: the person is on record,
the sign-in has a second factor (printed recovery codes, each good once), and the right follows a shift like
everybody's. The sign-in closes with the last day of employment (`close_sign_ins`). What is generated is
returned once, to be printed, and stored only as hashes and sealed seeds.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record, snapshot
from server.care.models import Shift
from server.people.domain.enrolment import ALPHABET, make_enrolment_code
from server.people.models import EnrolmentCode, StaffMember, Team, User
from server.people.second_factor import has_typed_factor
from server.problems import Problem
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of
from server.tenancy.scoping import whole_municipality

SIGN_IN_MADE = actions.register(
    "people.sign_in_made", _("sign-in with recovery codes made"), needs_actor=True
)
SIGN_IN_CLOSED = actions.register("people.sign_in_closed", _("sign-in closed, employment has ended"))

PASSWORD_GROUPS = 4
"""Four groups of four of 30 characters are 78 bits, and can be typed from paper."""
CLOSED_AT_ONCE = 500


@dataclass(frozen=True)
class SignIn:
    """What is typed into the phone; shown once."""

    username: str
    password: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class HandOver:
    """All that the substitute's card says."""

    staff: StaffMember
    shift: Shift
    code: EnrolmentCode
    plain_code: str = field(repr=False)
    sign_in: SignIn | None
    """None for somebody who has a working sign-in already."""


@whole_municipality()
@transaction.atomic
def let_in(
    *,
    team: Team,
    starts_at: datetime,
    ends_at: datetime,
    at: datetime,
    actor: User,
    name: str = "",
    staff: StaffMember | None = None,
    new_sign_in: bool = False,
) -> HandOver:
    """Let somebody work in `team` today: `staff`, or a new person called `name`, employed for these days.

    A person of an earlier day is employed again until the shift's last day. Raises `Problem` right_foreign
    for somebody else's staff and right_too_long for a shift that the plan would not allow either.
    """
    if staff is not None and staff.provider_id != team.provider_id:
        raise Problem("right_foreign")
    longest = policy_of(team.municipality).longest_shift
    if not at < ends_at <= starts_at + longest:
        raise Problem("right_too_long", minutes=int(longest.total_seconds() // 60))
    days = timezone.localdate(starts_at), timezone.localdate(ends_at)
    person = _employ(staff, days, actor) if staff else _hire(team, name, days, actor)
    shift: Shift = Shift.objects.create(
        municipality=team.municipality,
        staff=person,
        provider=team.provider,
        team=team,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    record(action=actions.ADDED, target=shift, actor=actor, after=snapshot(shift))
    has_one = person.user is not None and person.user.is_active and has_typed_factor(person.user)
    sign_in = None if has_one and not new_sign_in else _make_sign_in(person, actor)
    code, plain = make_enrolment_code(staff=person, actor=actor, at=at, for_pool_phone=True)
    return HandOver(person, shift, code, plain, sign_in)


def _hire(team: Team, name: str, days: tuple[date, date], actor: User) -> StaffMember:
    person: StaffMember = StaffMember.objects.create(
        municipality=team.municipality,
        provider=team.provider,
        name=name,
        employed_from=days[0],
        employed_to=days[1],
    )
    record(action=actions.ADDED, target=person, actor=actor, after=snapshot(person))
    return person


def _employ(staff: StaffMember, days: tuple[date, date], actor: User) -> StaffMember:
    """Stretch an employment over these days; whoever is employed on them anyway is left alone."""
    before = {"employed_from": str(staff.employed_from), "employed_to": str(staff.employed_to or "")}
    staff.employed_from = min(staff.employed_from, days[0])
    if staff.employed_to is not None:
        staff.employed_to = max(staff.employed_to, days[1])
    after = {"employed_from": str(staff.employed_from), "employed_to": str(staff.employed_to or "")}
    if before != after:
        staff.save(update_fields=["employed_from", "employed_to"])
        record(action=actions.CHANGED, target=staff, actor=actor, before=before, after=after)
    return staff


def _make_sign_in(staff: StaffMember, actor: User) -> SignIn:
    """Give the person a password and recovery codes; the earlier ones, if any, are worth nothing any more."""
    password = "-".join(_letters(4) for _group in range(PASSWORD_GROUPS))
    user = staff.user
    if user is not None and (user.role or user.is_superuser):
        raise Problem("not_permitted")  # whose sign-in opens the administration is an administrator's matter
    if user is None:
        user = User(username=f"vik-{_letters(6).lower()}", municipality=staff.municipality)
    user.is_active = True
    user.set_password(password)
    user.save()
    if staff.user_id is None:
        staff.user = user
        staff.save(update_fields=["user"])
    Authenticator.objects.filter(user=user).delete()
    # Recovery codes stand in for a factor: alone they would not even be asked for. This one nobody holds.
    TOTP.activate(user, generate_totp_secret())
    codes = tuple(RecoveryCodes.activate(user).get_unused_codes())
    record(action=SIGN_IN_MADE, target=user, actor=actor, after={"staff": staff.pk})
    return SignIn(user.get_username(), password, codes)


def _letters(number: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _letter in range(number))


def close_sign_ins(municipality: Municipality, *, at: datetime) -> int:
    """Close the sign-ins of people whose last day has passed; returns how many. Run it as often as you like.

    Only those that are for the phone alone: whoever also works in the administration is an administrator's
    matter. Must run in the municipality's scope.
    """
    yesterday = timezone.localdate(at) - timedelta(days=1)
    over = User.objects.filter(
        municipality=municipality,
        is_active=True,
        role="",
        is_superuser=False,
        staff_member__employed_to__lte=yesterday,
    )
    closed = list(over.order_by("pk")[:CLOSED_AT_ONCE])
    with transaction.atomic():
        User.objects.filter(pk__in=[user.pk for user in closed]).update(is_active=False)
        for user in closed:
            record(action=SIGN_IN_CLOSED, target=user, before={"is_active": True}, after={"is_active": False})
    return len(closed)
