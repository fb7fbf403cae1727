"""Admin pages of consents: recording one with its paper, what is missing, withdrawing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from server.care.admin import missing_pages, withdrawing
from server.care.admin.parts import demand, in_words, person
from server.care.domain.documents import MOST_BYTES, add_document, read_document, refusal_of
from server.care.domain.effects import renew_keys
from server.care.missing import Signatory, behind, blocked_behind
from server.care.models import Consent, ConsentDocument
from server.care.paper import download
from server.problems import Problem
from server.tenancy import custody
from server.tenancy.admin_base import ReadOnlyAdmin, TenantAdmin, TenantForm
from server.tenancy.scoping import viewer_now, whole_municipality

TARGETS = ("scope", "client", "property", "owner", "signed_by")


class ConsentForm(TenantForm):
    """A consent and, beside it, the signed paper."""

    fixed_scope = ""
    """What a new consent covers when the form does not ask."""

    document = forms.FileField(
        label=gettext_lazy("Signed document"),
        required=False,
        help_text=gettext_lazy(
            "PDF, JPEG or PNG, at most 5 MB. It is stored encrypted; every reading is logged."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.fixed_scope and self.instance.pk is None:
            self.instance.scope = self.fixed_scope

    def clean_document(self) -> bytes | None:
        """Return the paper's bytes; what it is called says nothing about what it is."""
        handed_in: UploadedFile | None = self.cleaned_data.get("document")
        if not handed_in:
            return None
        content: bytes = handed_in.read(MOST_BYTES + 1)
        refusal = refusal_of(content)
        if refusal is not None:
            raise forms.ValidationError(in_words(Problem(refusal)))
        return content


@admin.register(Consent)
class ConsentAdmin(TenantAdmin):
    """Who has agreed to locks, where and until when."""

    form = ConsentForm
    list_display = [
        "scope",
        "client",
        "property",
        "owner",
        "signed_by",
        "valid_from",
        "valid_to",
        "withdrawn_at",
    ]
    list_select_related = ["client", "property", "owner"]
    list_filter = [
        "scope",
        "signed_by",
        ("withdrawn_at", admin.EmptyFieldListFilter),
        "withdrawal_waits",
    ]
    search_fields = ["client__alarm_code", "property__designation", "owner__name"]
    autocomplete_fields = ["client", "property", "owner"]
    change_form_template = "admin/nyckelfri/care/consent_change_form.html"
    readonly_fields = ["withdrawal_asked_at", "withdrawal_waits", "withdrawn_at"]
    fieldsets = [
        (
            gettext_lazy("What it covers"),
            {"fields": ["scope", "client", "property", "owner", "covers_later"]},
        ),
        (
            gettext_lazy("The signature"),
            {
                "fields": [
                    "signed_by",
                    "signed_on",
                    "valid_from",
                    "valid_to",
                    "count_hand_openings",
                    "document",
                ]
            },
        ),
    ]
    empty_hint = gettext_lazy("Record the consents that are signed. Without consent no keys are issued.")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages about what is missing, withdrawing and the signed papers."""
        view = self.admin_site.admin_view
        own = [
            path("missing/", view(missing_pages.page), name="care_consent_missing"),
            path("missing/export/", view(missing_pages.export), name="care_consent_missing_export"),
            path(
                "missing/owner/<int:pk>/", view(missing_pages.owner_page), name="care_consent_missing_owner"
            ),
            path("<int:pk>/withdraw/", view(withdrawing.page), name="care_consent_withdraw"),
            path("<int:pk>/keep/", view(withdrawing.keep_page), name="care_consent_keep"),
            path("document/<int:pk>/", view(self.hand_out), name="care_consent_document"),
        ]
        return [*own, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let a provider's own people record their clients' consents only; show a withdrawal once there."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None and viewer_now() is not None:
            signature = fieldsets[-1]
            return [(gettext_lazy("What it covers"), {"fields": ["client"]}), signature]
        if obj is not None and not self.has_change_permission(request, obj):
            fieldsets = [(name, _without_document(options)) for name, options in fieldsets]
        if obj is not None and obj.withdrawn_at is not None:
            return [*fieldsets, (gettext_lazy("Withdrawal"), {"fields": self.readonly_fields})]
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What was signed by whom is not rewritten: withdraw it and record another."""
        fixed = super().get_readonly_fields(request, obj)
        return [*fixed, *TARGETS] if obj else fixed

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form; for a provider's own people one about a client's apartment."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None and viewer_now() is not None:
            _narrow(form)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in what the list of missing signatures knows already."""
        return {
            "valid_from": timezone.now(),
            "signed_on": timezone.localdate(),
            **super().get_changeform_initial_data(request),
        }

    def save_model(self, request: HttpRequest, obj: Consent, form: Any, change: bool) -> None:
        """Save, keep the paper, and say how many clients no longer wait."""
        now, signatory = timezone.now(), Signatory.of(obj)
        waited = blocked_behind(signatory, now)
        super().save_model(request, obj, form, change)
        content = form.cleaned_data.get("document")
        if content:
            self._keep_paper(request, obj, content)
        _renew(obj, now)
        _say_who_is_unblocked(request, waited, blocked_behind(signatory, now))

    @staticmethod
    def _keep_paper(request: HttpRequest, consent: Consent, content: bytes) -> None:
        try:
            add_document(consent=consent, content=content, at=timezone.now(), actor=person(request))
        except Problem as problem:
            messages.error(request, in_words(problem))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kw: Any) -> Any:
        """Show the papers and what can be done."""
        consent = context.get("original")
        if consent is not None:
            documents = ConsentDocument.objects.filter(consent=consent).defer("sealed_content")
            may_read = request.user.has_perm("care.view_consentdocument")
            context = {
                **context,
                "documents": documents if may_read else [],
                "may_withdraw": withdrawing.may_withdraw(request, consent),
                "is_over": withdrawing.is_over(consent, timezone.now()),
            }
        return super().render_change_form(request, context, *args, **kw)

    def hand_out(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand out a signed paper, and log the reading."""
        user = demand(request, "care.view_consentdocument")
        document = get_object_or_404(ConsentDocument.objects.all(), pk=pk)
        try:
            content = read_document(document=document, actor=user)
        except custody.SealError:
            messages.error(request, _("The document cannot be opened. Tell whoever runs the server."))
            return redirect("admin:care_consent_change", document.consent_id)
        return download(document, content)


def _without_document(options: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only a form that can be sent has."""
    return {**options, "fields": [name for name in options["fields"] if name != "document"]}


def _narrow(form: Any) -> None:
    """Leave only what concerns an apartment; the scope follows from that."""
    signed_by = form.base_fields["signed_by"]
    signed_by.choices = [choice for choice in signed_by.choices if choice[0] != "owner"]
    form.base_fields["client"].required = True
    form.fixed_scope = Consent.Scope.CLIENT


def _renew(consent: Consent, now: Any) -> None:
    with whole_municipality():
        clients = set(behind(Signatory.of(consent), now).values_list("pk", flat=True))
    renew_keys(municipality=consent.municipality, clients=clients, at=now)


def _say_who_is_unblocked(request: HttpRequest, before: int, after: int) -> None:
    freed = before - after
    if freed > 0:
        messages.success(
            request,
            ngettext(
                "%(count)d client no longer waits for any signature.",
                "%(count)d clients no longer wait for any signature.",
                freed,
            )
            % {"count": freed},
        )
    if after and before:
        messages.info(
            request,
            ngettext(
                "%(count)d client behind it still waits for another signature.",
                "%(count)d clients behind it still wait for another signature.",
                after,
            )
            % {"count": after},
        )


@admin.register(ConsentDocument)
class ConsentDocumentAdmin(ReadOnlyAdmin):
    """Signed papers: that they are there, never what they say."""

    list_display = ["consent", "kind", "size", "added_at", "added_by"]
    list_select_related = ["consent__client", "consent__property", "consent__owner", "added_by"]
    list_filter = ["kind"]
    search_fields = ["consent__client__alarm_code", "consent__property__designation"]
    empty_hint = gettext_lazy("Signed papers are added on the page of their consent.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentDocument]:
        """Leave the sealed bytes in the database."""
        rows: QuerySet[ConsentDocument] = super().get_queryset(request)
        return rows.defer("sealed_content")
