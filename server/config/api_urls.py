"""Addresses of the REST API, version 1."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from server.access.api.break_glass import BreakGlassView
from server.access.api.leave import LeaveView
from server.access.api.practice import PracticeView
from server.access.api.views import LookView, RevokedView, SyncView
from server.alarms.api.phones import DeclineView, HandOverView, TakeView
from server.alarms.api.systems import AlarmsView, AlarmView, EndView
from server.integrations.api.views import ImportView
from server.locks.api.firmware import FirmwareImageView, FirmwareView
from server.locks.api.service import InstallerLogsView, ServiceView
from server.locks.api.views import CommissionedView, CommissionView, FreshTimeView
from server.locks.api.work import (
    BatteryChangedView,
    CancelView,
    MoveView,
    OrderDoneView,
    OrdersView,
    RemoveView,
    RetireView,
)
from server.passages.api.deviations import DeviationsView
from server.passages.api.views import LogsView
from server.people.api.views import EnrolView
from server.tenancy.api.views import InfoView

urlpatterns: list[URLPattern | URLResolver] = [
    path("info", InfoView.as_view(), name="api-info"),
    path("enrol", EnrolView.as_view(), name="api-enrol"),
    path("sync", SyncView.as_view(), name="api-sync"),
    path("sync/revoked", RevokedView.as_view(), name="api-sync-revoked"),
    path("sync/look", LookView.as_view(), name="api-sync-look"),
    path("leave", LeaveView.as_view(), name="api-leave"),
    path("break-glass", BreakGlassView.as_view(), name="api-break-glass"),
    path("practice", PracticeView.as_view(), name="api-practice"),
    path("logs", LogsView.as_view(), name="api-logs"),
    path("fresh-time", FreshTimeView.as_view(), name="api-fresh-time"),
    path("installer/commission", CommissionView.as_view(), name="api-commission"),
    path("installer/commissioned", CommissionedView.as_view(), name="api-commissioned"),
    path("installer/move", MoveView.as_view(), name="api-move"),
    path("installer/cancel", CancelView.as_view(), name="api-cancel"),
    path("installer/battery-changed", BatteryChangedView.as_view(), name="api-battery-changed"),
    path("installer/remove", RemoveView.as_view(), name="api-remove"),
    path("installer/retire", RetireView.as_view(), name="api-retire"),
    path("installer/service", ServiceView.as_view(), name="api-service"),
    path("installer/logs", InstallerLogsView.as_view(), name="api-installer-logs"),
    path("installer/firmware", FirmwareView.as_view(), name="api-firmware"),
    path("installer/firmware/<int:release_id>", FirmwareImageView.as_view(), name="api-firmware-image"),
    path("installer/orders", OrdersView.as_view(), name="api-orders"),
    path("installer/orders/<int:order_id>/done", OrderDoneView.as_view(), name="api-order-done"),
    path("deviations", DeviationsView.as_view(), name="api-deviations"),
    path("import/<str:kind>", ImportView.as_view(), name="api-import"),
    path("alarms", AlarmsView.as_view(), name="api-alarms"),
    path("alarms/<int:alarm_id>", AlarmView.as_view(), name="api-alarm"),
    path("alarms/<int:alarm_id>/end", EndView.as_view(), name="api-alarm-end"),
    path("alarms/<int:alarm_id>/take", TakeView.as_view(), name="api-alarm-take"),
    path("alarms/<int:alarm_id>/decline", DeclineView.as_view(), name="api-alarm-decline"),
    path("alarms/<int:alarm_id>/hand-over", HandOverView.as_view(), name="api-alarm-hand-over"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
]
