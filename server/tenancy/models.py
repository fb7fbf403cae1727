"""The tenant and its keys: municipality, signed manifests of role keys, the role keys themselves."""

from __future__ import annotations

from django.conf import settings
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
    advert_key_days = models.PositiveSmallIntegerField(
        _("days that an advert key is used"),
        null=True,
        blank=True,
        validators=[MinValueValidator(7), MaxValueValidator(730)],
        help_text=_("Then each lock gets a new one. Empty: the server's own setting."),
    )
    tokens_not_before = models.DateTimeField(
        _("tokens not before"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Older access tokens are dead at every lock: a token key had leaked."),
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


class ManifestDraft(TenantModel):
    """A manifest that the roots have not signed yet, or did not sign; one is open at a time."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("waits for signatures")
        PUBLISHED = "published", _("in force")
        WITHDRAWN = "withdrawn", _("withdrawn")

    version = models.PositiveIntegerField(_("version"))
    document = BytesField(_("ceremony file"), help_text=_("What is signed, and the signatures so far."))
    leaked = models.JSONField(
        _("leaked keys"), default=list, blank=True, help_text=_("Ids of keys that are given up at once.")
    )
    outcome = models.CharField(_("state"), max_length=10, choices=Outcome, default=Outcome.OPEN)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
        help_text=_("Empty when a command did it."),
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("manifest to be signed")
        verbose_name_plural = _("manifests to be signed")
        ordering = ["-pk"]
        permissions = [("hold_ceremony", _("Can change the municipality's keys"))]
        constraints = [
            models.UniqueConstraint(
                fields=["municipality"], condition=models.Q(outcome="open"), name="manifestdraft_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{_('Manifest')} {self.version}"


class RoleKey(TenantModel):
    """A key pair for one role; the private half stays with its keeper and is never shown."""

    class Role(models.TextChoices):
        TOKEN = "token", _("access tokens")
        BULLETIN = "bulletin", _("bulletins and time")
        RECEIPT = "receipt", _("log receipts")
        SEALING = "sealing", _("log sealing")
        FIRMWARE = "firmware", _("firmware")

    class Keeper(models.TextChoices):
        DATABASE = "database", _("the database, sealed")
        PKCS11 = "pkcs11", _("a hardware security module")

    role = models.CharField(_("role"), max_length=12, choices=Role)
    kid = BytesField(_("key id"), max_length=2)
    public_key = BytesField(_("public key"), max_length=32)
    keeper = models.CharField(
        _("kept in"),
        max_length=10,
        choices=Keeper,
        default=Keeper.DATABASE,
        help_text=_("Where the private half is."),
    )
    sealed_private_key = BytesField(_("private key, sealed"), null=True, blank=True)
    active_from = models.DateTimeField(
        _("active from"), null=True, blank=True, help_text=_("Empty until the roots have signed for it.")
    )
    superseded_at = models.DateTimeField(
        _("superseded"), null=True, blank=True, help_text=_("It signs no more, but is still believed.")
    )
    retired_at = models.DateTimeField(
        _("retired"), null=True, blank=True, help_text=_("It stands in the manifest no more.")
    )
    erased_at = models.DateTimeField(_("private key erased"), null=True, blank=True)

    class Meta:
        verbose_name = _("role key")
        verbose_name_plural = _("role keys")
        ordering = ["role", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "kid"], name="rolekey_unique_kid"),
            has_length("rolekey_kid_2_bytes", "kid", 2),
            has_length("rolekey_public_key_32_bytes", "public_key", 32),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {bytes(self.kid).hex()}"
