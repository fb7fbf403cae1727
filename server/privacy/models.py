"""How long personal data is kept, and the record of what was shredded."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.tenancy.base import TenantModel

MOST_MONTHS = 120


class PrivacyPolicy(TenantModel):
    """A municipality's own times; without a row the server's defaults hold."""

    months_after_leaving = models.PositiveSmallIntegerField(
        _("months after leaving"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
        help_text=_(
            "When a staff member who left, or a client whose care ended, loses name and number here."
        ),
    )
    months_consent_documents = models.PositiveSmallIntegerField(
        _("months that consents' documents are kept"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
        help_text=_("Counted from when the consent ended or was withdrawn."),
    )

    class Meta:
        verbose_name = _("times for personal data")
        verbose_name_plural = _("times for personal data")
        constraints = [
            models.UniqueConstraint(fields=["municipality"], name="privacypolicy_one_per_municipality"),
            models.CheckConstraint(
                condition=models.Q(months_after_leaving__gte=1) & models.Q(months_consent_documents__gte=1),
                name="privacypolicy_at_least_a_month",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.months_after_leaving} / {self.months_consent_documents}"


class Shredding(TenantModel):
    """That personal data of one class was shredded: when, by whom, of how many. Never what it said."""

    data_class = models.CharField(_("class"), max_length=40)
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
    object_type = models.CharField(_("object type"), max_length=60, blank=True, default="")
    object_id = models.CharField(_("object id"), max_length=40, blank=True, default="")
    count = models.PositiveIntegerField(_("rows"), default=1)

    class Meta:
        verbose_name = _("shredding")
        verbose_name_plural = _("shreddings")
        permissions = [
            ("shred_personal_data", _("May see what is due, and pseudonymise")),
            ("extract_register", _("May make a person's register extract")),
        ]
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["object_type", "object_id"], name="shredding_object")]

    def __str__(self) -> str:
        return f"{self.data_class} {self.at:%Y-%m-%d}"
