"""Business systems' keys, and what each import did."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.people.models import CareProvider
from server.tenancy.base import TenantModel
from server.tenancy.fields import BytesField, has_length


class Kind(models.TextChoices):
    """What can be imported, in the order that one needs the other."""

    STAFF = "staff", _("staff")
    CLIENTS = "clients", _("clients")
    ASSIGNMENTS = "assignments", _("care assignments")
    SHIFTS = "shifts", _("shifts")
    VISITS = "visits", _("visits")


PROVIDERS_OWN: frozenset[str] = frozenset({Kind.STAFF, Kind.SHIFTS, Kind.VISITS})
"""What a single provider may bring; clients and who cares for them are the municipality's."""

is_source_name = RegexValidator(r"\A[a-z0-9][a-z0-9_.-]*\Z", _("Small letters, digits, dot and dash only."))


class ApiKey(TenantModel):
    """A business system's key: shown once, kept as SHA-256, bound to a source and perhaps to one provider."""

    name = models.CharField(_("name"), max_length=60, help_text=_("Which system it is."))
    source = models.CharField(
        _("source"),
        max_length=32,
        validators=[is_source_name],
        help_text=_("Stands on every imported row; together with the row's id it says which row is meant."),
    )
    provider = models.ForeignKey(
        CareProvider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="api_keys",
        verbose_name=_("care provider"),
        help_text=_("Empty: the whole municipality. Otherwise only this provider's rows."),
    )
    scopes = models.JSONField(_("may import"), default=list)
    token_hash = BytesField(_("key's hash"), max_length=32, unique=True)
    beginning = models.CharField(_("begins with"), max_length=12, help_text=_("To tell keys apart."))
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("key of a business system")
        verbose_name_plural = _("keys of business systems")
        ordering = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["municipality", "name"], name="apikey_unique_name"),
            has_length("apikey_hash_32_bytes", "token_hash", 32),
        ]

    def __str__(self) -> str:
        return self.name


class ImportRun(TenantModel):
    """One import that wrote something, or was refused: who, what, and the counts."""

    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    source = models.CharField(_("source"), max_length=32)
    at = models.DateTimeField(_("when"))
    key = models.ForeignKey(
        ApiKey,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        verbose_name=_("key of a business system"),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    provider = models.ForeignKey(
        CareProvider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("care provider"),
    )
    rows = models.PositiveIntegerField(_("rows"), default=0)
    added = models.PositiveIntegerField(_("added"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)

    class Meta:
        verbose_name = _("import run")
        verbose_name_plural = _("import runs")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["municipality", "-at"], name="importrun_at")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source} {self.at:%Y-%m-%d %H:%M}"
