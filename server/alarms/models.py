"""Alarms, to whom they were offered and what came of it, who may respond, and the systems that raise them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.access.models import ExtraRight
from server.care.models import Client
from server.passages.models import Passage
from server.people.models import StaffMember, Team
from server.tenancy.base import TenantModel
from server.tenancy.fields import BytesField, has_length


class AlarmPolicy(TenantModel):
    """How the municipality wants alarms to run; without a row the defaults below hold."""

    right_minutes = models.PositiveSmallIntegerField(
        _("minutes that the right lasts"),
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(240)],
        help_text=_("It ends earlier when the alarm ends."),
    )
    offer_to = models.PositiveSmallIntegerField(
        _("offered to how many at a time"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
    )
    widen_after_s = models.PositiveSmallIntegerField(
        _("seconds to answer"),
        default=45,
        validators=[MinValueValidator(15), MaxValueValidator(600)],
        help_text=_("Then the alarm is offered to the next nearest as well."),
    )
    close_after_hours = models.PositiveSmallIntegerField(
        _("hours until a forgotten alarm is closed"),
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(48)],
    )
    arrivals_noted_until = models.DateTimeField(
        _("logs looked through until"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("How far the sweep has come in looking for opened doors."),
    )

    class Meta:
        verbose_name = _("rules for alarms")
        verbose_name_plural = _("rules for alarms")
        ordering = ["municipality"]
        constraints = [
            models.UniqueConstraint(
                fields=["municipality"],
                name="alarmpolicy_one_each",
                violation_error_message=_("There are rules already: change those."),
            ),
        ]

    def __str__(self) -> str:
        return str(_("Rules for alarms"))


class AlarmTeam(TenantModel):
    """A team whose people may be offered alarms while they are on duty."""

    class Reach(models.TextChoices):
        OWN = "own", _("the own provider's clients")
        ALL = "all", _("every client (such as the night patrol)")

    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, related_name="alarm_team", verbose_name=_("team")
    )
    reach = models.CharField(_("responds for"), max_length=4, choices=Reach, default=Reach.OWN)

    class Meta:
        verbose_name = _("team that responds to alarms")
        verbose_name_plural = _("teams that respond to alarms")
        ordering = ["team__provider__name", "team__name"]

    def __str__(self) -> str:
        return f"{self.team}: {self.get_reach_display()}"


class AlarmSystem(TenantModel):
    """A system that may raise and end alarms over HTTP, known by a token of which only the hash is kept."""

    name = models.CharField(
        _("name"), max_length=60, help_text=_("Which system it is, never a person's name.")
    )
    token_hash = BytesField(_("token hash"), max_length=32, unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("alarm system")
        verbose_name_plural = _("alarm systems")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "name"], name="alarmsystem_unique_name"),
            has_length("alarmsystem_token_hash_32_bytes", "token_hash", 32),
        ]

    def __str__(self) -> str:
        return self.name


class Alarm(TenantModel):
    """An acute call for one client, from the call until it is ended; one at a time for each client."""

    class State(models.TextChoices):
        RAISED = "raised", _("nobody has taken it")
        TAKEN = "taken", _("somebody is on the way")
        ARRIVED = "arrived", _("the door was opened")
        ENDED = "ended", _("the alarm has ended")

    class Why(models.TextChoices):
        HANDLED = "handled", _("handled")
        FALSE_ALARM = "false_alarm", _("false alarm")
        CANCELLED = "cancelled", _("called off")
        EXPIRED = "expired", _("forgotten: closed by itself")

    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, related_name="alarms", verbose_name=_("client")
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RAISED)
    raised_at = models.DateTimeField(_("raised"))
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("raised by"),
    )
    system = models.ForeignKey(
        AlarmSystem,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="alarms",
        verbose_name=_("raised by the system"),
    )
    offers_open_at = models.DateTimeField(
        _("offered since"), help_text=_("When the last round of offers went out.")
    )
    taken_by = models.ForeignKey(
        StaffMember,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("taken by"),
    )
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    arrived_at = models.DateTimeField(
        _("door opened"), null=True, blank=True, help_text=_("By the lock's own log.")
    )
    arrival = models.ForeignKey(
        Passage, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("passage")
    )
    arrival_known_at = models.DateTimeField(_("known since"), null=True, blank=True)
    arrival_uncertain = models.BooleanField(_("time uncertain"), default=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("ended by"),
    )
    why = models.CharField(_("how it ended"), max_length=12, choices=Why, blank=True, default="")

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ["-raised_at"]
        indexes = [
            models.Index(fields=["municipality", "-raised_at"], name="alarm_raised"),
            models.Index(
                fields=["municipality", "state"],
                condition=models.Q(ended_at__isnull=True),
                name="alarm_open",
            ),
            models.Index(fields=["taken_by", "-raised_at"], name="alarm_taken_by"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=models.Q(ended_at__isnull=True), name="alarm_one_open_per_client"
            ),
            models.CheckConstraint(
                condition=models.Q(state="ended", ended_at__isnull=False) & ~models.Q(why="")
                | ~models.Q(state="ended") & models.Q(ended_at__isnull=True, why=""),
                name="alarm_ended_with_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["raised", "ended"]) | models.Q(taken_by__isnull=False),
                name="alarm_taken_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client} {self.raised_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        """Whether it still has to be dealt with."""
        return self.state != self.State.ENDED


class AlarmCall(TenantModel):
    """A call as an alarm system names it; several calls for one client may be one alarm."""

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="calls", verbose_name=_("alarm"))
    system = models.ForeignKey(
        AlarmSystem, on_delete=models.PROTECT, related_name="calls", verbose_name=_("alarm system")
    )
    external_id = models.CharField(_("external id"), max_length=64)
    at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("call from an alarm system")
        verbose_name_plural = _("calls from alarm systems")
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["system", "external_id"], name="alarmcall_unique_id"),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.external_id}"


class AlarmOffer(TenantModel):
    """One person was asked to respond: how near we believed the person to be, why, and what was answered."""

    class Answer(models.TextChoices):
        NONE = "", _("no answer yet")
        TAKEN = "taken", _("took it")
        DECLINED = "declined", _("cannot")
        HANDED_OVER = "handed_over", _("took it, then handed it over")
        PASSED = "passed", _("somebody else took it")

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="offers", verbose_name=_("alarm"))
    staff = models.ForeignKey(
        StaffMember, on_delete=models.PROTECT, related_name="alarm_offers", verbose_name=_("staff member")
    )
    rank = models.PositiveSmallIntegerField(_("place"), help_text=_("1 is the nearest."))
    grounds = models.JSONField(
        _("why this place"), default=list, help_text=_("What the ranking went by, as codes and times.")
    )
    by_hand = models.BooleanField(_("assigned by hand"), default=False)
    offered_at = models.DateTimeField(_("offered"))
    answer = models.CharField(_("answer"), max_length=12, choices=Answer, blank=True, default=Answer.NONE)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    right = models.OneToOneField(
        ExtraRight,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="alarm_offer",
        verbose_name=_("alarm right"),
    )

    class Meta:
        verbose_name = _("offer of an alarm")
        verbose_name_plural = _("offers of alarms")
        ordering = ["alarm", "rank", "pk"]
        indexes = [models.Index(fields=["staff", "answer"], name="alarmoffer_staff")]
        constraints = [
            models.UniqueConstraint(fields=["alarm", "staff"], name="alarmoffer_once_each"),
        ]

    def __str__(self) -> str:
        return f"{self.alarm}: {self.staff}"
