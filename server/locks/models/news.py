"""Notes that a lock has to be told something new."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from server.locks.models.devices import Binding
from server.tenancy.base import TenantModel


class BulletinDue(TenantModel):
    """A note that what a bulletin says may have changed.

    Written in the transaction of the change, taken away by whoever has looked since. Notes are only added and
    removed, never altered, so that writing one waits for nobody.
    """

    binding = models.ForeignKey(
        Binding, on_delete=models.CASCADE, related_name="+", verbose_name=_("binding")
    )
    noted_at = models.DateTimeField(_("noted"), auto_now_add=True)

    class Meta:
        verbose_name = _("bulletin to look at")
        verbose_name_plural = _("bulletins to look at")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.binding_id} {self.noted_at:%Y-%m-%d %H:%M}"
