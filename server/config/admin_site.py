"""Our admin site: names, sign-in through allauth, and the pages that belong to no single model."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.config.navigation import menu_for

ORDER = {
    label: place
    for place, label in enumerate(
        (
            "alarms",
            "passages",
            "care",
            "switches",
            "integrations",
            "people",
            "places",
            "locks",
            "access",
            "audit",
            "privacy",
            "keys",
            "tenancy",
        )
    )
}


class NyckelfriAdminSite(admin.AdminSite):
    """The stock admin with our names on it."""

    site_title = gettext_lazy("Nyckelfri")
    site_header = gettext_lazy("Nyckelfri")
    index_title = gettext_lazy("Administration")
    enable_nav_sidebar = False  # the menu in the header has the same, and tables need the width

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action(
            "delete_selected"
        )  # rows here are other people's care; one at a time, with a look

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Change one's password at allauth's page, where it is recorded, not at the admin's own."""
        return redirect("account_change_password")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in through allauth, never through the admin's own password form."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Add the live board and the page "who may open"."""
        from server.access import preview, revoking  # noqa: PLC0415  models are not ready when the site is made

        own: list[URLResolver | URLPattern] = [
            path("live/", self.admin_view(self.live), name="live"),
            path("who-may-open/", self.admin_view(preview.page), name="who_may_open"),
            path("revoke/<str:target>/<int:pk>/", self.admin_view(revoking.page), name="revoke"),
        ]
        return [*own, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Order the parts as the work goes, not by the alphabet."""
        apps: list[Any] = super().get_app_list(request, app_label)
        last = len(ORDER)
        return sorted(apps, key=lambda app: ORDER.get(app["app_label"], last))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Give every page the menu of pages that belong to no single table."""
        from server.people.models import User  # noqa: PLC0415

        context, user = super().each_context(request), request.user
        return {**context, "menu": menu_for(user) if isinstance(user, User) else []}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show what needs attention today, then charts, then every register."""
        from server.config.board import board_for  # noqa: PLC0415
        from server.people.models import User  # noqa: PLC0415

        at, user = timezone.now(), request.user
        assert isinstance(user, User)  # noqa: S101  admin_view lets nobody else in
        return super().index(request, {**board_for(user, at=at), **(extra_context or {})})

    def live(self, request: HttpRequest) -> HttpResponse:
        """Show the live board; its rows come over the websocket."""
        if not request.user.has_perm("passages.view_passage"):
            raise PermissionDenied
        context = {**self.each_context(request), "title": _("Live passages")}
        own = getattr(request.user, "municipality", None)
        page = "admin/nyckelfri/live.html" if own else "admin/nyckelfri/no_municipality.html"
        return TemplateResponse(request, page, context)
