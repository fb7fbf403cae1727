"""The admin page of firmware releases: hand in a signed file, see how many locks run what, withdraw."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import CharField, Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from protocol import firmware
from server.care.admin.parts import in_words, person
from server.locks.domain.firmware import check, publish, withdraw
from server.locks.models import FirmwareRelease, Lock
from server.problems import Problem
from server.tenancy.admin_base import ReadOnlyAdmin, TenantForm
from server.tenancy.models import Municipality


class ReleaseForm(TenantForm):
    """One file; everything else stands in it."""

    file = forms.FileField(
        label=gettext_lazy("Signed release file"),
        help_text=gettext_lazy("Made by whoever keeps the municipality's firmware key; at most 4 MB."),
    )

    class Meta:
        model = FirmwareRelease
        fields: list[str] = []

    def clean_file(self) -> bytes:
        """Return the bytes of what a lock would believe; no more than a release can have are read."""
        handed_in: UploadedFile = self.cleaned_data["file"]
        content: bytes = handed_in.read(firmware.MAX_FILE + 1)
        try:
            check(municipality=_municipality(self.tenant_id), file=content)
        except Problem as problem:
            raise forms.ValidationError(in_words(problem)) from problem
        return content

    def _post_clean(self) -> None:
        """The row is made by publishing, not from the form's fields."""


@admin.register(FirmwareRelease)
class FirmwareReleaseAdmin(ReadOnlyAdmin):
    """Releases: added as signed files, never edited, withdrawn when they should not spread further."""

    list_display = ["model", "version", "security", "published_at", "withdrawn_at", "runs"]
    search_fields = ["model", "version"]
    list_filter = ["model", ("withdrawn_at", admin.EmptyFieldListFilter)]
    actions = ["withdraw_chosen"]
    empty_hint = gettext_lazy("Hand in a signed release; installers' phones carry it to the locks.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FirmwareRelease]:
        """Count the locks that run each, and leave the images where they are."""
        same = Lock.objects.filter(firmware_version=Cast(OuterRef("version"), CharField()))
        counted = same.order_by().values("firmware_version").annotate(count=Count("pk")).values("count")
        rows: QuerySet[FirmwareRelease] = super().get_queryset(request)
        return rows.defer("image", "document").annotate(locks=Coalesce(Subquery(counted), 0))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may, in a municipality of their own."""
        own = getattr(request.user, "municipality_id", None)
        return own is not None and bool(request.user.has_perm("locks.add_firmwarerelease"))

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        """Whoever may add may take back."""
        return self.has_add_permission(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask for a file, when adding."""
        if obj is None:
            kwargs["form"] = ReleaseForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The file of a new one; of one that is there everything but its bytes."""
        shown = [name for name in super().get_fields(request, obj) if name != "image_hex"]
        return ["file"] if obj is None else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing is edited."""
        return [] if obj is None else self.get_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Publish what was handed in."""
        user = person(request)
        made = publish(
            municipality=_municipality(user.municipality_id),
            file=form.cleaned_data["file"],
            at=timezone.now(),
            actor=user,
        )
        obj.pk, obj.model, obj.version = made.pk, made.model, made.version

    @admin.action(description=gettext_lazy("Withdraw"), permissions=["withdraw"])
    def withdraw_chosen(self, request: HttpRequest, queryset: QuerySet[FirmwareRelease]) -> None:
        """Hand the chosen releases out no more."""
        for release in queryset.filter(withdrawn_at=None):
            withdraw(release=release, at=timezone.now(), actor=person(request))
        messages.success(request, _("Withdrawn. Locks that run it go on until a newer one comes."))

    @admin.display(description=gettext_lazy("locks that run it"))
    def runs(self, release: Any) -> int:
        """How many said so in their logs."""
        return int(release.locks)


def _municipality(pk: int | None) -> Municipality:
    """Whoever may add has one."""
    assert pk is not None  # noqa: S101
    return Municipality.objects.get(pk=pk)
