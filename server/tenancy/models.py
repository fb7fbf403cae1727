"""The tenant and its keys: municipality, signed manifests of role keys, the role keys themselves."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.tenancy.base import TenantModel
from server.tenancy.fields import BytesField, has_length

MOST_MONTHS = 120
"""Nobody may keep passages longer than ten years, nor, by a slip, for no time at all."""

ROUTINE_LENGTH = 4000
"""Characters; phones take no longer text."""


class Municipality(models.Model):
    """The tenant: it owns locks and data, and has its own root keys."""

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    root_public_keys = models.JSONField(
        _("root keys (public)"),
        default=list,
        blank=True,
        help_text=_("Ed25519 public keys in hexadecimal. The private halves are kept offline."),
    )
    root_threshold = models.PositiveSmallIntegerField(
        _("root signatures needed"), default=2, validators=[MinValueValidator(1), MaxValueValidator(16)]
    )
    support_phone = models.CharField(_("support telephone"), max_length=32, blank=True, default="")
    deviation_routine_sv = models.TextField(
        _("routine when a door will not open, Swedish"), max_length=ROUTINE_LENGTH, blank=True, default=""
    )
    deviation_routine_en = models.TextField(
        _("routine when a door will not open, English"), max_length=ROUTINE_LENGTH, blank=True, default=""
    )
    minimum_app_version = models.CharField(
        _("oldest app version allowed"),
        max_length=20,
        blank=True,
        default="",
        help_text=_("Empty: the server's own setting."),
    )
    shift_lead_minutes = models.PositiveSmallIntegerField(
        _("minutes before the shift"), null=True, blank=True, validators=[MaxValueValidator(120)]
    )
    grace_minutes = models.PositiveSmallIntegerField(
        _("minutes after the shift"), null=True, blank=True, validators=[MaxValueValidator(240)]
    )
    issue_horizon_hours = models.PositiveSmallIntegerField(
        _("hours ahead that keys are issued"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(72)],
        help_text=_("Also the longest time a revoked phone without coverage can still open."),
    )
    retention_months = models.PositiveSmallIntegerField(
        _("months that passages are kept"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("municipality")
        verbose_name_plural = _("municipalities")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(root_threshold__gte=1), name="municipality_threshold_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Manifest(TenantModel):
    """A version of the signed list of role keys; versions only go up."""

    version = models.PositiveIntegerField(_("version"))
    document = BytesField(_("signed document"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("key manifest")
        verbose_name_plural = _("key manifests")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "version"], name="manifest_unique_version"),
        ]

    def __str__(self) -> str:
        return f"{_('Manifest')} {self.version}"


class RoleKey(TenantModel):
    """A key pair for one role; the private half is sealed (`server.tenancy.custody`) and never shown."""

    class Role(models.TextChoices):
        TOKEN = "token", _("access tokens")
        BULLETIN = "bulletin", _("bulletins and time")
        RECEIPT = "receipt", _("log receipts")
        SEALING = "sealing", _("log sealing")
        FIRMWARE = "firmware", _("firmware")

    role = models.CharField(_("role"), max_length=12, choices=Role)
    kid = BytesField(_("key id"), max_length=2)
    public_key = BytesField(_("public key"), max_length=32)
    sealed_private_key = BytesField(_("private key, sealed"), null=True, blank=True)
    active_from = models.DateTimeField(_("active from"))
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        verbose_name = _("role key")
        verbose_name_plural = _("role keys")
        ordering = ["role", "-active_from"]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "kid"], name="rolekey_unique_kid"),
            has_length("rolekey_kid_2_bytes", "kid", 2),
            has_length("rolekey_public_key_32_bytes", "public_key", 32),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {bytes(self.kid).hex()}"
