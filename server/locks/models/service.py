"""Service rights: short-lived tokens for installers, each for one lock and one phone key."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.locks.models.devices import Binding
from server.tenancy.base import TenantModel, ends_after_start
from server.tenancy.fields import BytesField, has_length


class ServiceRight(TenantModel):
    """That an installer was given a token; the token itself is not kept."""

    token_id = BytesField(_("key id"), max_length=8, unique=True)
    binding = models.ForeignKey(
        Binding, on_delete=models.PROTECT, related_name="service_rights", verbose_name=_("binding")
    )
    installer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="service_rights",
        verbose_name=_("installer"),
    )
    fingerprint = BytesField(_("fingerprint"), max_length=8, help_text=_("Of the key in the phone's memory."))
    scope = models.PositiveSmallIntegerField(_("operations"))
    issued_at = models.DateTimeField(_("issued"))
    expires = models.DateTimeField(_("valid to"))

    class Meta:
        verbose_name = _("service right")
        verbose_name_plural = _("service rights")
        ordering = ["-issued_at"]
        constraints = [
            has_length("serviceright_token_id_8_bytes", "token_id", 8),
            has_length("serviceright_fingerprint_8_bytes", "fingerprint", 8),
            ends_after_start("serviceright_window_in_order", "issued_at", "expires"),
        ]

    def __str__(self) -> str:
        return bytes(self.token_id).hex()
