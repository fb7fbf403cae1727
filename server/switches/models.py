"""A provider switch, and per client and door what was before: enough to undo it exactly and to prove it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.care.models import CareAssignment, Client
from server.locks.models import Binding
from server.people.models import CareProvider, Team
from server.places.models import Door
from server.tenancy.base import TenantModel


class ProviderSwitch(TenantModel):
    """Clients of one provider become another's at one instant; written as a whole or not at all."""

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        DONE = "done", _("carried out")
        CANCELLED = "cancelled", _("taken back")

    from_provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="switches_from", verbose_name=_("from provider")
    )
    to_provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="switches_to", verbose_name=_("to provider")
    )
    at = models.DateTimeField(_("instant"))
    client_count = models.PositiveIntegerField(_("number of clients"), default=0)
    form_key = models.CharField(
        _("form's key"), max_length=36, help_text=_("One form sent twice is one switch.")
    )
    planned_at = models.DateTimeField(_("decided"))
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    issued_at = models.DateTimeField(
        _("keys renewed"),
        null=True,
        blank=True,
        help_text=_("When keys were cut and issued as the switch says and every lock's news was written."),
    )
    cancelled_at = models.DateTimeField(_("taken back at"), null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("taken back by"),
    )

    class Meta:
        verbose_name = _("provider switch")
        verbose_name_plural = _("provider switches")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["municipality", "-at"], name="switch_at")]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "form_key"], name="switch_unique_form"),
            models.CheckConstraint(
                condition=~models.Q(from_provider=models.F("to_provider")),
                name="switch_between_two",
                violation_error_message=_("Choose two different care providers."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_provider} → {self.to_provider}"

    def state_at(self, at: datetime) -> str:
        """Return the `State` as of `at`."""
        if self.cancelled_at is not None:
            return self.State.CANCELLED
        return self.State.PLANNED if self.at > at else self.State.DONE


class SwitchedClient(TenantModel):
    """One client in a switch: where it went, and which of its assignments ended when before."""

    switch = models.ForeignKey(
        ProviderSwitch, on_delete=models.PROTECT, related_name="clients", verbose_name=_("provider switch")
    )
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, related_name="switches", verbose_name=_("client")
    )
    to_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", verbose_name=_("to team"))
    new_assignment = models.ForeignKey(
        CareAssignment,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("new assignment"),
        help_text=_("Empty when the team cared for the client already, or the switch was taken back."),
    )
    before = models.JSONField(
        _("before"), default=dict, help_text=_("Each ended assignment's id and its end before the switch.")
    )

    class Meta:
        verbose_name = _("switched client")
        verbose_name_plural = _("switched clients")
        ordering = ["client__alarm_code"]
        constraints = [
            models.UniqueConstraint(fields=["switch", "client"], name="switchedclient_unique"),
        ]

    def __str__(self) -> str:
        return str(self.client)


class SwitchedDoor(TenantModel):
    """A door that led to a switched client, with the lock that sat on it when the switch was decided.

    Once the old provider's last right there has died, when and by what is kept for good: the bulletins that
    prove it are not.
    """

    class Cause(models.TextChoices):
        NO_LOCK = "no_lock", _("no lock")
        NEVER = "never", _("never issued")
        EXPIRED = "expired", _("the key ended by itself")
        LOCK_KNOWS = "lock_knows", _("the lock knows of the revocation")
        MOVED = "moved", _("the lock was moved away")
        KEPT = "kept", _("keeps its right for another client")
        ALIVE = "alive", _("still alive")

    switched = models.ForeignKey(
        SwitchedClient, on_delete=models.CASCADE, related_name="doors", verbose_name=_("switched client")
    )
    door = models.ForeignKey(Door, on_delete=models.PROTECT, related_name="+", verbose_name=_("door"))
    binding = models.ForeignKey(
        Binding,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("binding"),
        help_text=_("Empty when there was no lock."),
    )
    on_the_way = models.BooleanField(_("on the way"), default=False)
    cause = models.CharField(_("why"), max_length=10, choices=Cause, blank=True, default="")
    died_at = models.DateTimeField(_("last right died"), null=True, blank=True)
    bulletin_seq = models.BigIntegerField(_("bulletin"), null=True, blank=True)

    class Meta:
        verbose_name = _("door of a switched client")
        verbose_name_plural = _("doors of switched clients")
        ordering = ["switched", "on_the_way", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["switched", "door"], name="switcheddoor_unique"),
        ]

    def __str__(self) -> str:
        return str(self.door)


class GateNeighbour(TenantModel):
    """Another provider with keys at a lock that the switch concerns: what it held before, and right after."""

    switch = models.ForeignKey(
        ProviderSwitch, on_delete=models.CASCADE, related_name="neighbours", verbose_name=_("provider switch")
    )
    binding = models.ForeignKey(
        Binding, on_delete=models.PROTECT, related_name="+", verbose_name=_("binding")
    )
    provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="+", verbose_name=_("care provider")
    )
    before = models.JSONField(_("keys before"), default=list)
    after = models.JSONField(_("keys right after"), null=True, blank=True)

    class Meta:
        verbose_name = _("neighbour of a switch")
        verbose_name_plural = _("neighbours of switches")
        ordering = ["binding", "provider"]
        constraints = [
            models.UniqueConstraint(fields=["switch", "binding", "provider"], name="gateneighbour_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} · {self.binding}"
