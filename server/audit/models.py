"""The audit trail: entries that can be added and read, never edited or deleted."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.tenancy.base import TenantModel
from server.tenancy.scoping import ScopedManager


class ImmutableError(Exception):
    """Somebody tried to edit or delete an audit entry."""


class AppendOnlyQuerySet(models.QuerySet["AuditEntry"]):
    """Rows can be read and added; every other verb is refused."""

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise ImmutableError("audit entries can neither be changed nor deleted")

    update = _refuse
    delete = _refuse
    _raw_delete = _refuse
    bulk_update = _refuse
    update_or_create = _refuse


class ScopedAuditManager(ScopedManager["AuditEntry"]):
    """Entries of the municipality in scope."""

    _queryset_class = AppendOnlyQuerySet


class AuditEntry(TenantModel):
    """Who did what to which object, as what, when and why; before and after hold only what changed."""

    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who"),
        help_text=_("Empty when the server did it by itself."),
    )
    acting_as = models.CharField(_("as"), max_length=20)
    action = models.CharField(_("what"), max_length=60)
    object_type = models.CharField(_("object type"), max_length=60)
    object_id = models.CharField(_("object id"), max_length=40)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    reason = models.CharField(_("why"), max_length=60, blank=True, default="")

    objects: ClassVar[ScopedManager[Any]] = ScopedAuditManager()
    unscoped: ClassVar[models.Manager[Any]] = models.Manager.from_queryset(AppendOnlyQuerySet)()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at", "-id"]
        base_manager_name = "unscoped"
        permissions = [("export_auditentry", _("Can hand out the audit trail as a file"))]
        indexes = [
            models.Index(fields=["municipality", "-at"], name="audit_at"),
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["actor", "-at"], name="audit_actor"),
            models.Index(fields=["municipality", "action", "-at"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the entry; refuse to change one."""
        if not self._state.adding:
            raise ImmutableError("audit entries cannot be changed")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise ImmutableError("audit entries cannot be deleted")
