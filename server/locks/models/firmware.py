"""Releases of the locks' own program, signed by a firmware key of the municipality."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from server.tenancy.base import TenantModel
from server.tenancy.fields import BytesField, has_length


class FirmwareRelease(TenantModel):
    """An image and its signed header; the server checks the signature, as every lock does."""

    model = models.CharField(_("lock model"), max_length=16, help_text=_("What the image runs on."))
    version = models.PositiveBigIntegerField(_("version"))
    security = models.PositiveBigIntegerField(
        _("security version"),
        help_text=_("A lock never again runs anything below the highest one it has kept."),
    )
    size = models.PositiveIntegerField(_("size, bytes"))
    digest = BytesField("SHA-256", max_length=32)
    document = BytesField(_("signed header"))
    image = BytesField(_("image"))
    signed_at = models.DateTimeField(_("signed"))
    published_at = models.DateTimeField(_("published"))
    withdrawn_at = models.DateTimeField(
        _("withdrawn"), null=True, blank=True, help_text=_("Not handed to installers' phones any more.")
    )

    class Meta:
        verbose_name = _("firmware release")
        verbose_name_plural = _("firmware releases")
        ordering = ["model", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["municipality", "model", "version"], name="firmwarerelease_unique_version"
            ),
            has_length("firmwarerelease_digest_32_bytes", "digest", 32),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.version}"
