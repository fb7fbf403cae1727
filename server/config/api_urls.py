"""Addresses of the REST API, version 1."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from server.access.api.break_glass import BreakGlassView
from server.access.api.views import SyncView
from server.alarms.api.phones import DeclineView, HandOverView, TakeView
from server.alarms.api.systems import AlarmsView, AlarmView, EndView
from server.locks.api.views import CommissionedView, CommissionView, FreshTimeView
from server.passages.api.views import LogsView
from server.people.api.views import EnrolView
from server.tenancy.api.views import InfoView

urlpatterns: list[URLPattern | URLResolver] = [
    path("info", InfoView.as_view(), name="api-info"),
    path("enrol", EnrolView.as_view(), name="api-enrol"),
    path("sync", SyncView.as_view(), name="api-sync"),
    path("break-glass", BreakGlassView.as_view(), name="api-break-glass"),
    path("logs", LogsView.as_view(), name="api-logs"),
    path("fresh-time", FreshTimeView.as_view(), name="api-fresh-time"),
    path("installer/commission", CommissionView.as_view(), name="api-commission"),
    path("installer/commissioned", CommissionedView.as_view(), name="api-commissioned"),
    path("alarms", AlarmsView.as_view(), name="api-alarms"),
    path("alarms/<int:alarm_id>", AlarmView.as_view(), name="api-alarm"),
    path("alarms/<int:alarm_id>/end", EndView.as_view(), name="api-alarm-end"),
    path("alarms/<int:alarm_id>/take", TakeView.as_view(), name="api-alarm-take"),
    path("alarms/<int:alarm_id>/decline", DeclineView.as_view(), name="api-alarm-decline"),
    path("alarms/<int:alarm_id>/hand-over", HandOverView.as_view(), name="api-alarm-hand-over"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
]
