"""Staff, their sign-ins, phones and enrolment codes; and the administration's own sign-ins."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.audit.redaction import redact
from server.people.models import Bearer, EnrolmentCode, Phone, StaffMember, User
from server.privacy.domain.base import DataClass, moment, not_shredded, note
from server.privacy.rules import Times, unfinished

PSEUDONYMISED = actions.register("privacy.pseudonymised", _("pseudonymised"))

NAMING = frozenset(
    {"name", "username", "first_name", "last_name", "email", "source", "external_id", "label", "alarm_code"}
)
"""Keys of audit entries under which somebody is named."""


def new_pseudonym(word: str, taken: QuerySet[Any], field: str) -> str:
    """Return a name like `Medarbetare 8f3a` that nobody has; longer when the short ones run out."""
    for length in (2, 2, 2, 3, 4):
        name = f"{word} {secrets.token_hex(length)}"
        if not taken.filter(**{field: name}).exists():
            return name
    return f"{word} {secrets.token_hex(8)}"


def close_sign_in(user: User, username: str) -> None:
    """Leave of a sign-in an empty shell that audit entries can still point to."""
    user.username, user.first_name, user.last_name, user.email = username, "", "", ""
    user.is_active = False
    user.set_unusable_password()
    user.save()
    for model in (Authenticator, EmailAddress, SocialAccount):
        model.objects.filter(user=user).delete()


def _forget_in_trail(row: Any, ids: Iterable[int], kind: str, put: str, actor: User | None) -> None:
    redact(
        target=row,
        object_type=kind,
        object_ids=[str(pk) for pk in ids],
        keys=NAMING,
        put=put,
        actor=actor,
    )


class Staff(DataClass):
    """Names of staff; the pseudonym stays on shifts, rights and passages: still one and the same person."""

    slug = "staff"
    label = _("Staff members")
    holds = _("Name, identity in the business system, employment, the sign-in, labels of own phones.")
    kept = _("Until some months after leaving; then a pseudonym takes the name's place.")
    claims = frozenset(
        {
            "people.StaffMember.name",
            "people.StaffMember.source",
            "people.StaffMember.external_id",
            "people.Phone.label",
        }
    )

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return the person's own row, and phones."""
        yield {
            "name": staff.name,
            "provider": staff.provider.name,
            "source": staff.source,
            "external_id": staff.external_id,
            "employed_from": staff.employed_from.isoformat(),
            "employed_to": staff.employed_to.isoformat() if staff.employed_to else None,
        }
        for bearer in Bearer.objects.filter(staff=staff).select_related("phone").order_by("pk"):
            phone = bearer.phone
            yield {
                "phone": phone.label,
                "model": phone.model,
                "pool": phone.is_pool,
                "enrolled": moment(bearer.created_at),
                "revoked": moment(bearer.revoked_at),
            }

    def due(self, times: Times) -> QuerySet[StaffMember]:
        """People whose employment ended long enough ago."""
        left = StaffMember.objects.filter(employed_to__lt=timezone.localdate(times.left_before))
        return not_shredded(left, self.slug)

    def shred(self, row: StaffMember, *, at: datetime, actor: User | None) -> bool:
        """Put a pseudonym in the name's place; False while something unfinished needs the name."""
        if unfinished(row, at=at):
            return False
        pseudonym = new_pseudonym("Medarbetare", StaffMember.objects.all(), "name")
        row.name, row.source, row.external_id = pseudonym, "", ""
        row.save(update_fields=["name", "source", "external_id"])
        own = Phone.objects.filter(is_pool=False, bearers__staff=row).exclude(
            bearers__staff__in=StaffMember.objects.exclude(pk=row.pk)
        )
        phones = list(own.values_list("pk", flat=True))
        Phone.objects.filter(pk__in=phones).update(label="")
        Bearer.objects.filter(staff=row, revoked_at__isnull=True).update(revoked_at=at)
        EnrolmentCode.objects.filter(staff=row).delete()
        if row.user is not None:
            close_sign_in(row.user, pseudonym.lower().replace(" ", "-") + f"-{row.user.pk}")
            _forget_in_trail(row, [row.user.pk], "people.user", pseudonym, actor)
        _forget_in_trail(row, [row.pk], "people.staffmember", pseudonym, actor)
        _forget_in_trail(row, phones, "people.phone", pseudonym, actor)
        note(row, self.slug, at=at, actor=actor)
        record(action=PSEUDONYMISED, target=row, actor=actor)
        return True


class SignIns(DataClass):
    """Sign-ins of people who carry no phone: coordinators, patrol, installers, auditors, owners' contacts."""

    slug = "sign_ins"
    label = _("Sign-ins")
    holds = _("User name, name and e-mail address, second factors, when they last signed in.")
    kept = _("Until some months after the sign-in was closed and last used; then it is an empty shell.")
    claims = frozenset(
        {
            "people.User.username",
            "people.User.password",
            "people.User.first_name",
            "people.User.last_name",
            "people.User.email",
        }
    )

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return the person's own sign-in."""
        if staff.user is None:
            return
        user = staff.user
        yield {
            "username": user.username,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "joined": moment(user.date_joined),
            "last_login": moment(user.last_login),
            "second_factors": sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True)),
        }

    def due(self, times: Times) -> QuerySet[User]:
        """Closed sign-ins that nobody has used for long; staff's own go with the person."""
        unused = Q(last_login__lt=times.left_before) | Q(
            last_login__isnull=True, date_joined__lt=times.left_before
        )
        closed = User.objects.filter(
            unused, is_active=False, staff_member__isnull=True, municipality=times.municipality
        )
        return not_shredded(closed, self.slug)

    def shred(self, row: User, *, at: datetime, actor: User | None) -> bool:
        """Empty the shell."""
        close_sign_in(row, f"avslutad-{row.pk}")
        _forget_in_trail(row, [row.pk], "people.user", f"avslutad-{row.pk}", actor)
        note(row, self.slug, at=at, actor=actor)
        return True


class EnrolmentCodes(DataClass):
    """One-time codes; only their hashes are kept, and whom they were for."""

    slug = "enrolment_codes"
    label = _("Enrolment codes")
    holds = _("For whom a code was made, by whom, when it was used.")
    kept = _("Thirty days after it ended.")
    claims: ClassVar[frozenset[str]] = frozenset()

    def export(self, staff: StaffMember) -> Iterable[Mapping[str, Any]]:
        """Return when codes were made and used."""
        for code in EnrolmentCode.objects.filter(staff=staff).order_by("pk"):
            yield {
                "created": moment(code.created_at),
                "expires": moment(code.expires_at),
                "used": moment(code.used_at),
            }

    def due(self, times: Times) -> QuerySet[EnrolmentCode]:
        """Codes that ended more than thirty days ago."""
        ended: QuerySet[EnrolmentCode] = EnrolmentCode.objects.filter(expires_at__lt=times.codes_before)
        return ended

    def shred(self, row: EnrolmentCode, *, at: datetime, actor: User | None) -> bool:
        """Delete it."""
        row.delete()
        return True
