"""Revocations: orders that something must no longer open."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.access.models.tokens import Token
from server.people.models import Bearer, CareProvider, Phone, StaffMember
from server.tenancy.base import TenantModel


class Revocation(TenantModel):
    """An order that something must no longer open; it travels to phones and locks."""

    class Target(models.TextChoices):
        TOKEN = "token", _("one key")
        BEARER = "bearer", _("a person on a phone")
        PHONE = "phone", _("a phone")
        STAFF = "staff", _("a staff member")
        PROVIDER = "provider", _("a care provider")

    class Reason(models.TextChoices):
        LOST = "lost", _("phone lost")
        STOLEN = "stolen", _("phone stolen")
        EMPLOYMENT_ENDED = "employment_ended", _("employment ended")
        ASSIGNMENT_ENDED = "assignment_ended", _("assignment ended")
        CONSENT_WITHDRAWN = "consent_withdrawn", _("consent withdrawn")
        PLAN_CHANGED = "plan_changed", _("plan changed")
        RIGHT_ENDED = "right_ended", _("right beside the plan ended")
        MISUSE = "misuse", _("suspected misuse")
        OTHER = "other", _("other")

    target = models.CharField(_("what"), max_length=10, choices=Target)
    token = models.ForeignKey(
        Token,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="revocations",
        verbose_name=_("key"),
    )
    bearer = models.ForeignKey(
        Bearer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="revocations",
        verbose_name=_("bearer"),
    )
    phone = models.ForeignKey(
        Phone,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="revocations",
        verbose_name=_("phone"),
    )
    staff = models.ForeignKey(
        StaffMember,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="revocations",
        verbose_name=_("staff member"),
    )
    provider = models.ForeignKey(
        CareProvider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="revocations",
        verbose_name=_("care provider"),
    )
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
        help_text=_("Empty when the server did it by itself."),
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    matters_until = models.DateTimeField(
        _("matters until"),
        null=True,
        blank=True,
        help_text=_("When the last key it concerns ends by itself."),
    )

    class Meta:
        verbose_name = _("revocation")
        verbose_name_plural = _("revocations")
        ordering = ["-at"]
        indexes = [models.Index(fields=["municipality", "matters_until"], name="revocation_matters_until")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(target="token", token__isnull=False)
                | models.Q(target="bearer", bearer__isnull=False)
                | models.Q(target="phone", phone__isnull=False)
                | models.Q(target="staff", staff__isnull=False)
                | models.Q(target="provider", provider__isnull=False),
                name="revocation_has_its_target",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_target_display()} {self.at:%Y-%m-%d %H:%M}"
