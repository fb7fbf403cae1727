"""Issued access tokens and revocations."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.care.models import Shift
from server.locks.models import Binding
from server.people.models import Bearer, CareProvider, Phone, StaffMember
from server.tenancy.base import TenantModel, ends_after_start
from server.tenancy.fields import BytesField, has_length


class Token(TenantModel):
    """A signed right: this bearer, this binding, this window, these operations. Never changed once issued."""

    token_id = BytesField(_("key id"), max_length=8, unique=True)
    bearer = models.ForeignKey(
        Bearer, on_delete=models.PROTECT, related_name="tokens", verbose_name=_("bearer")
    )
    binding = models.ForeignKey(
        Binding, on_delete=models.PROTECT, related_name="tokens", verbose_name=_("binding")
    )
    shift = models.ForeignKey(
        Shift,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tokens",
        verbose_name=_("shift"),
    )
    provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="+", verbose_name=_("care provider")
    )
    issued_at = models.DateTimeField(_("issued"))
    not_before = models.DateTimeField(_("valid from"))
    expires = models.DateTimeField(_("valid to"))
    scope = models.PositiveIntegerField(_("operations"))
    grp = models.PositiveSmallIntegerField(_("group number"))
    document = BytesField(_("signed document"))
    delivered_at = models.DateTimeField(_("fetched by the phone"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    replaced_at = models.DateTimeField(
        _("replaced"),
        null=True,
        blank=True,
        help_text=_("A newer key took its place, or it was no longer needed."),
    )

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        ordering = ["-issued_at"]
        indexes = [
            models.Index(fields=["bearer", "expires"], name="token_bearer_expires"),
            models.Index(fields=["binding", "expires"], name="token_binding_expires"),
        ]
        constraints = [
            has_length("token_id_8_bytes", "token_id", 8),
            ends_after_start("token_window_in_order", "not_before", "expires"),
            models.UniqueConstraint(
                fields=["bearer", "binding", "shift"],
                condition=models.Q(revoked_at__isnull=True, replaced_at__isnull=True),
                name="token_one_live_per_bearer_binding_shift",
            ),
        ]

    def __str__(self) -> str:
        return bytes(self.token_id).hex()


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
