"""Our admin site: title, texts and sign-in through allauth (with its second factor and rate limits)."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _


class NyckelfriAdminSite(admin.AdminSite):
    """The stock admin with our names on it."""

    site_title = _("Nyckelfri")
    site_header = _("Nyckelfri")
    index_title = _("Administration")
    enable_nav_sidebar = True

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in through allauth, never through the admin's own password form."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response
