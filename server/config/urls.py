"""Addresses of the server."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from server.config.health import healthz
from server.passages.consumers import PassagesConsumer
from server.people.consumers import PhoneConsumer

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("healthz", healthz, name="healthz"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("server.config.api_urls")),
]

handler404 = "server.config.failures.not_found"
handler500 = "server.config.failures.server_error"

# For people at a browser, who are known by their session's cookie: the page must be one of ours.
websocket_urlpatterns = [path("ws/passages/", PassagesConsumer.as_asgi())]
# For phones, who are known by a header that no browser sends by itself: they come from no page at all.
phone_websocket_urlpatterns = [path("ws/phone/", PhoneConsumer.as_asgi(), name="ws-phone")]
