"""Work orders: what an installer is to do at a door."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.locks.models.devices import Lock
from server.places.models import Door
from server.tenancy.base import TenantModel


class WorkOrder(TenantModel):
    """One thing to do at one door. What blocks it is worked out when somebody looks, never stored."""

    class Kind(models.TextChoices):
        MOUNT = "mount", _("mount a lock")
        MOVE = "move", _("move a lock here")
        REPAIR = "repair", _("repair")
        BATTERY = "battery", _("change the batteries")
        RETIRE = "retire", _("take down for good")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    door = models.ForeignKey(
        Door, on_delete=models.PROTECT, related_name="work_orders", verbose_name=_("door")
    )
    lock = models.ForeignKey(
        Lock,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="work_orders",
        verbose_name=_("lock"),
    )
    deviation = models.ForeignKey(
        "passages.Deviation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="work_orders",
        verbose_name=_("deviation"),
    )
    planned_for = models.DateField(_("planned for"), null=True, blank=True)
    installer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="work_orders",
        verbose_name=_("installer"),
    )
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
        help_text=_("Empty when the server did it by itself."),
    )
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("closed by"),
        help_text=_("Empty when the server did it by itself."),
    )

    class Meta:
        verbose_name = _("work order")
        verbose_name_plural = _("work orders")
        ordering = ["planned_for", "pk"]
        permissions = [("plan_workorder", _("Can plan installations"))]
        indexes = [
            models.Index(
                fields=["municipality", "planned_for"],
                condition=models.Q(done_at__isnull=True, cancelled_at__isnull=True),
                name="workorder_open",
            ),
            models.Index(fields=["installer", "planned_for"], name="workorder_installer"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["door", "kind"],
                condition=models.Q(done_at__isnull=True, cancelled_at__isnull=True),
                name="workorder_one_open_per_door_and_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True) | models.Q(cancelled_at__isnull=True),
                name="workorder_done_or_cancelled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.door}"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.done_at is None and self.cancelled_at is None
