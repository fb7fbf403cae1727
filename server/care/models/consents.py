"""Consents: a client's for the apartment door, an owner's for one property or the whole portfolio."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.care.models.clients import Client
from server.places.models import Door, Property, PropertyOwner
from server.tenancy.base import TenantModel, ends_after_start
from server.tenancy.fields import BytesField, has_length


class Consent(TenantModel):
    """Permission to have a lock on a door, signed by whoever must; withdrawn with effect from an instant.

    A withdrawal that waits for another way in has its latest instant in `withdrawn_at` from the start, so
    that no key is issued beyond it; it only ever moves earlier.
    """

    class Scope(models.TextChoices):
        CLIENT = "client", _("client's apartment door")
        PROPERTY = "property", _("one property")
        PORTFOLIO = "portfolio", _("all of the owner's properties")

    scope = models.CharField(_("covers"), max_length=10, choices=Scope)
    client = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="consents",
        verbose_name=_("client"),
    )
    property = models.ForeignKey(
        Property,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="consents",
        verbose_name=_("property"),
    )
    owner = models.ForeignKey(
        PropertyOwner,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="consents",
        verbose_name=_("property owner"),
    )
    signed_by = models.CharField(_("signed by"), max_length=14, choices=Door.Signatory)
    signed_on = models.DateField(_("signed on"), null=True, blank=True)
    valid_from = models.DateTimeField(_("valid from"))
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)
    covers_later = models.BooleanField(
        _("also properties added later"),
        default=False,
        help_text=_("Only for a consent that covers all of the owner's properties."),
    )
    count_hand_openings = models.BooleanField(
        _("openings by hand may be counted"),
        default=False,
        help_text=_("How many a day, never when. Only for an apartment, and only if the paper says so."),
    )
    withdrawn_at = models.DateTimeField(
        _("withdrawn from"), null=True, blank=True, help_text=_("When the withdrawal takes effect.")
    )
    withdrawal_asked_at = models.DateTimeField(_("withdrawal received"), null=True, blank=True)
    withdrawal_waits = models.BooleanField(
        _("withdrawal waits for another way in"),
        default=False,
        help_text=_("It takes effect when another way in is recorded, at the latest on the day it says."),
    )

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-valid_from"]
        permissions = [
            ("withdraw_consent", _("May record that a consent is withdrawn")),
            ("withdraw_consent_at_once", _("May let a withdrawal take effect without another way in")),
        ]
        indexes = [
            models.Index(
                fields=["municipality", "withdrawn_at"],
                condition=models.Q(withdrawal_waits=True),
                name="consent_waiting_withdrawal",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    scope="client", client__isnull=False, property__isnull=True, owner__isnull=True
                )
                | models.Q(scope="property", client__isnull=True, property__isnull=False, owner__isnull=True)
                | models.Q(
                    scope="portfolio", client__isnull=True, property__isnull=True, owner__isnull=False
                ),
                name="consent_one_target",
                violation_error_message=_(
                    "Choose exactly what the consent covers: a client, a property or an owner."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(scope="client", signed_by__in=["resident", "representative"])
                | ~models.Q(scope="client") & models.Q(signed_by="owner"),
                name="consent_rightful_signatory",
                violation_error_message=_(
                    "A client's door is signed for by the resident or a legal representative, "
                    "a property by its owner."
                ),
            ),
            ends_after_start("consent_period_in_order", "valid_from", "valid_to"),
            models.CheckConstraint(
                condition=models.Q(covers_later=False) | models.Q(scope="portfolio"),
                name="consent_later_is_for_portfolios",
                violation_error_message=_(
                    "Only a consent for all of an owner's properties can cover those added later."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(count_hand_openings=False) | models.Q(scope="client"),
                name="consent_hand_count_is_the_clients",
                violation_error_message=_("Openings by hand are counted at apartments only."),
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawal_waits=False) | models.Q(withdrawn_at__isnull=False),
                name="consent_waiting_has_a_latest_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.client or self.property or self.owner}"


class ConsentDocument(TenantModel):
    """The signed paper. It bears a name, so it is sealed at rest and every reading is in the audit trail."""

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        JPEG = "jpeg", "JPEG"
        PNG = "png", "PNG"

    consent = models.ForeignKey(
        Consent, on_delete=models.PROTECT, related_name="documents", verbose_name=_("consent")
    )
    kind = models.CharField(_("kind"), max_length=4, choices=Kind)
    size = models.PositiveIntegerField(_("size, bytes"))
    sha256 = BytesField(_("SHA-256"), max_length=32)
    sealed_content = BytesField(_("content, sealed"))
    added_at = models.DateTimeField(_("added"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("added by"),
    )

    class Meta:
        verbose_name = _("signed document")
        verbose_name_plural = _("signed documents")
        ordering = ["-added_at"]
        constraints = [
            models.UniqueConstraint(fields=["consent", "sha256"], name="consentdocument_once"),
            has_length("consentdocument_sha256_32_bytes", "sha256", 32),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {timezone.localtime(self.added_at):%Y-%m-%d %H:%M}"
