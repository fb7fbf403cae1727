"""The plan: shifts, and the visits in them. Rights follow the shift's team; visits only sort the list."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.care.models.clients import Client
from server.people.models import CareProvider, StaffMember, Team
from server.tenancy.base import ImportedModel, ends_after_start


class Shift(ImportedModel):
    """One person's working time in one team."""

    staff = models.ForeignKey(
        StaffMember, on_delete=models.PROTECT, related_name="shifts", verbose_name=_("staff member")
    )
    provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="shifts", verbose_name=_("care provider")
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="shifts", verbose_name=_("team"))
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"))
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        ordering = ["-starts_at"]
        indexes = [
            models.Index(fields=["municipality", "starts_at", "ends_at"], name="shift_period"),
            models.Index(fields=["staff", "starts_at"], name="shift_staff"),
        ]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            ends_after_start("shift_period_in_order", "starts_at", "ends_at"),
        ]

    def __str__(self) -> str:
        return f"{self.staff} {self.starts_at:%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        """Staff member and team must be the provider's own."""
        super().clean()
        if self.team_id and self.provider_id and self.team.provider_id != self.provider_id:
            raise ValidationError({"team": _("This team belongs to another care provider.")})
        if self.staff_id and self.provider_id and self.staff.provider_id != self.provider_id:
            raise ValidationError({"staff": _("This person works for another care provider.")})


class Visit(ImportedModel):
    """A planned stop in a shift at one client."""

    shift = models.ForeignKey(Shift, on_delete=models.CASCADE, related_name="visits", verbose_name=_("shift"))
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, related_name="visits", verbose_name=_("client")
    )
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["-shift__starts_at", "order", "starts_at"]
        indexes = [models.Index(fields=["shift", "order", "starts_at"], name="visit_in_shift")]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            ends_after_start("visit_period_in_order", "starts_at", "ends_at"),
        ]

    def __str__(self) -> str:
        return f"{self.client} {self.starts_at:%H:%M}"
