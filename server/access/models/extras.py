"""Rights beside the plan: given by hand, taken in need, or standing for a team such as the night patrol's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.care.models import Client
from server.people.models import CareProvider, StaffMember, Team
from server.tenancy.base import TenantModel, ends_after_start


class ExtraRight(TenantModel):
    """One person's right beside the plan, for minutes or hours: a team's doors, one client's, or practice."""

    class Kind(models.TextChoices):
        ADHOC = "adhoc", _("given at once")
        ALARM = "alarm", _("alarm")
        BREAK_GLASS = "break_glass", _("taken in an emergency")
        PRACTICE = "practice", _("practice")

    class Reason(models.TextChoices):
        BORROWED = "borrowed", _("borrowed colleague")
        SUBSTITUTE = "substitute", _("substitute")
        PLAN_LATE = "plan_late", _("the plan has not caught up")
        ALARM = "alarm", _("alarm")
        NO_ANSWER = "no_answer", _("nobody answers, worry for the client")
        CALL_FOR_HELP = "call_for_help", _("somebody calls for help")
        VISIT_MISSING = "visit_missing", _("the visit is missing in the plan")
        KEY_MISSING = "key_missing", _("the right should be there but is not")
        PRACTICE = "practice", _("practice at a practice lock")
        OTHER = "other", _("other")

    class Verdict(models.TextChoices):
        JUSTIFIED = "justified", _("justified")
        NOT_JUSTIFIED = "not_justified", _("not justified")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    staff = models.ForeignKey(
        StaffMember, on_delete=models.PROTECT, related_name="extra_rights", verbose_name=_("staff member")
    )
    provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="extra_rights", verbose_name=_("care provider")
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="extra_rights",
        verbose_name=_("team"),
    )
    client = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="extra_rights",
        verbose_name=_("client"),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    withdrawn_at = models.DateTimeField(_("ended early"), null=True, blank=True)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("given by"),
        help_text=_("Empty when the staff member took it."),
    )
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewed by"),
    )
    verdict = models.CharField(_("verdict"), max_length=14, choices=Verdict, blank=True, default="")

    class Meta:
        verbose_name = _("right beside the plan")
        verbose_name_plural = _("rights beside the plan")
        ordering = ["-starts_at"]
        permissions = [
            ("give_extraright", _("Can give and end rights beside the plan")),
            ("review_extraright", _("Can review rights taken in an emergency")),
        ]
        indexes = [
            models.Index(fields=["municipality", "ends_at"], name="extraright_end"),
            models.Index(fields=["staff", "ends_at"], name="extraright_staff_end"),
            models.Index(
                fields=["municipality", "starts_at"],
                condition=models.Q(kind="break_glass", reviewed_at__isnull=True),
                name="extraright_unreviewed",
            ),
        ]
        constraints = [
            ends_after_start("extraright_period_in_order", "starts_at", "ends_at"),
            models.CheckConstraint(
                condition=models.Q(kind="practice", team__isnull=True, client__isnull=True)
                | ~models.Q(kind="practice")
                & (
                    models.Q(team__isnull=False, client__isnull=True)
                    | models.Q(team__isnull=True, client__isnull=False)
                ),
                name="extraright_one_target",
                violation_error_message=_("Choose either a team or one client."),
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["adhoc", "practice"]) | models.Q(client__isnull=False),
                name="extraright_in_need_is_for_one_client",
            ),
            models.CheckConstraint(
                condition=models.Q(reviewed_at__isnull=True, verdict="")
                | models.Q(reviewed_at__isnull=False) & ~models.Q(verdict=""),
                name="extraright_verdict_when_reviewed",
            ),
        ]

    def __str__(self) -> str:
        where = self.team or self.client
        return f"{self.get_kind_display()}: {self.staff}" + (f" → {where}" if where else "")


class StandingRight(TenantModel):
    """A team whose shifts open every consented door with a lock in its areas: the night patrol's right."""

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="standing_rights", verbose_name=_("team")
    )
    everywhere = models.BooleanField(
        _("everywhere"), default=False, help_text=_("All areas, also those that are added later.")
    )
    areas = models.JSONField(
        _("areas"), default=list, blank=True, help_text=_("The areas of properties, when not everywhere.")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"), null=True, blank=True)

    class Meta:
        verbose_name = _("standing right")
        verbose_name_plural = _("standing rights")
        ordering = ["team__name", "-starts_at"]
        indexes = [models.Index(fields=["team", "starts_at"], name="standingright_team")]
        constraints = [ends_after_start("standingright_period_in_order", "starts_at", "ends_at")]

    def __str__(self) -> str:
        return f"{self.team}: {self.where}"

    @property
    def where(self) -> str:
        """The areas in words."""
        return str(_("everywhere")) if self.everywhere else ", ".join(self.areas)

    def clean(self) -> None:
        """Either everywhere or at least one area, never both."""
        super().clean()
        names: Any = self.areas
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise ValidationError({"areas": _("Give areas by their names.")})
        if self.everywhere == bool(names):
            raise ValidationError({"areas": _("Choose areas, or everywhere.")})
