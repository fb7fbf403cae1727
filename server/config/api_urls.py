"""Addresses of the REST API, version 1."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from server.access.api.views import SyncView
from server.locks.api.views import CommissionedView, CommissionView, FreshTimeView
from server.passages.api.views import LogsView
from server.people.api.views import EnrolView
from server.tenancy.api.views import InfoView

urlpatterns: list[URLPattern | URLResolver] = [
    path("info", InfoView.as_view(), name="api-info"),
    path("enrol", EnrolView.as_view(), name="api-enrol"),
    path("sync", SyncView.as_view(), name="api-sync"),
    path("logs", LogsView.as_view(), name="api-logs"),
    path("fresh-time", FreshTimeView.as_view(), name="api-fresh-time"),
    path("installer/commission", CommissionView.as_view(), name="api-commission"),
    path("installer/commissioned", CommissionedView.as_view(), name="api-commissioned"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
]
