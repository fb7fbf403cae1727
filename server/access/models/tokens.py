"""Issued access tokens."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from server.access.models.extras import ExtraRight
from server.care.models import Shift
from server.locks.models import Binding
from server.people.models import Bearer, CareProvider
from server.tenancy.base import TenantModel, ends_after_start
from server.tenancy.fields import BytesField, has_length


class Token(TenantModel):
    """A signed right: this bearer, this binding, this window, these operations. Never changed once issued."""

    token_id = BytesField(_("key id"), max_length=8, unique=True)
    # Indexes are what an inserted row costs most: none of its own where one below begins with the column.
    bearer = models.ForeignKey(
        Bearer, on_delete=models.PROTECT, db_index=False, related_name="tokens", verbose_name=_("bearer")
    )
    binding = models.ForeignKey(
        Binding, on_delete=models.PROTECT, db_index=False, related_name="tokens", verbose_name=_("binding")
    )
    shift = models.ForeignKey(
        Shift,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tokens",
        verbose_name=_("shift"),
    )
    extra = models.ForeignKey(
        ExtraRight,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="tokens",
        verbose_name=_("right beside the plan"),
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
            # What is alive in a municipality, and what is long over, among years of what is neither.
            models.Index(fields=["municipality", "expires"], name="token_expires"),
            models.Index(
                fields=["extra"], condition=models.Q(extra__isnull=False), name="token_of_extra_right"
            ),
        ]
        constraints = [
            has_length("token_id_8_bytes", "token_id", 8),
            ends_after_start("token_window_in_order", "not_before", "expires"),
            models.UniqueConstraint(
                fields=["bearer", "binding", "shift"],
                condition=models.Q(revoked_at__isnull=True, replaced_at__isnull=True),
                name="token_one_live_per_bearer_binding_shift",
            ),
            models.UniqueConstraint(
                fields=["bearer", "binding", "extra"],
                condition=models.Q(extra__isnull=False, revoked_at__isnull=True, replaced_at__isnull=True),
                name="token_one_live_per_bearer_binding_extra",
            ),
            models.CheckConstraint(
                condition=models.Q(shift__isnull=True) | models.Q(extra__isnull=True),
                name="token_for_one_duty",
            ),
        ]

    def __str__(self) -> str:
        return bytes(self.token_id).hex()
