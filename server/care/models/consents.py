"""Consents: a client's for the apartment door, an owner's for one property or the whole portfolio."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from server.care.models.clients import Client
from server.places.models import Door, Property, PropertyOwner
from server.tenancy.base import TenantModel, ends_after_start


class Consent(TenantModel):
    """Permission to have a lock on a door, signed by whoever must; withdrawn with effect from an instant."""

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
    withdrawn_at = models.DateTimeField(
        _("withdrawn from"), null=True, blank=True, help_text=_("When the withdrawal takes effect.")
    )

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-valid_from"]
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
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.client or self.property or self.owner}"
