"""Clients, known by alarm code only, and who cares for them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.people.models import CareProvider, Team
from server.places.models import Door
from server.tenancy.base import ImportedModel, ends_after_start


class Client(ImportedModel):
    """Somebody with home care: an alarm code and a door, never a name or a personal number."""

    class MetalKeys(models.TextChoices):
        UNKNOWN = "", _("not recorded")
        HANDED_OUT = "handed_out", _("with the providers")
        RETURNED = "returned", _("gone back")

    alarm_code = models.CharField(
        _("alarm code"),
        max_length=20,
        help_text=_("Only the patrol can tell who it is. Never a name or a personal identity number."),
    )
    door = models.ForeignKey(
        Door,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="clients",
        limit_choices_to={"kind": "apartment"},
        verbose_name=_("apartment door"),
    )
    paused_at = models.DateTimeField(
        _("paused"), null=True, blank=True, help_text=_("For instance a hospital stay: no keys while paused.")
    )
    ended_at = models.DateTimeField(
        _("ended"), null=True, blank=True, help_text=_("Care has ended for good: no keys from then on.")
    )

    metal_keys = models.CharField(
        _("metal keys"), max_length=10, choices=MetalKeys, blank=True, default=MetalKeys.UNKNOWN
    )
    metal_keys_at = models.DateTimeField(_("metal keys since"), null=True, blank=True)

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["alarm_code"]
        permissions = [
            ("pause_client", _("May pause and end a client's care")),
            ("record_metal_keys", _("May record that metal keys were handed out or went back")),
        ]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            models.UniqueConstraint(fields=["municipality", "alarm_code"], name="client_unique_alarm_code"),
        ]

    def __str__(self) -> str:
        return self.alarm_code


class CareAssignment(ImportedModel):
    """A client cared for by a provider's team for a period; several at once are normal."""

    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("client")
    )
    provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("care provider")
    )
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("team")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"), null=True, blank=True)

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("care assignment")
        verbose_name_plural = _("care assignments")
        ordering = ["client__alarm_code", "-starts_at"]
        indexes = [
            models.Index(fields=["team", "starts_at"], name="assignment_team"),
            models.Index(fields=["client", "provider"], name="assignment_client_provider"),
        ]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            ends_after_start("assignment_period_in_order", "starts_at", "ends_at"),
        ]

    def __str__(self) -> str:
        return f"{self.client} · {self.team}"

    def clean(self) -> None:
        """The team must be one of the provider's own."""
        super().clean()
        if self.team_id and self.provider_id and self.team.provider_id != self.provider_id:
            raise ValidationError({"team": _("This team belongs to another care provider.")})
