"""The installer's POST /api/v1/installer/move, battery-changed, remove, retire, cancel, and the orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from protocol import retire
from protocol.identity import LOCK_ID_LENGTH
from server.config.rest.errors import ProblemSerializer
from server.config.rest.fields import Base64UrlField, encode_bytes
from server.locks.api.views import INSTALLER_HEADER, MAX_ID, PROBLEMS, CommissionResponse, InstallerView
from server.locks.domain.batteries import battery_changed
from server.locks.domain.commission import move_lock
from server.locks.domain.leaving import cancel_commissioning, remove_lock, retire_lock
from server.locks.domain.orders import finish_order
from server.locks.domain.service import retire_order
from server.locks.models import Binding, Lock, WorkOrder
from server.locks.order_queries import Block, blocks_of, day_orders, in_order_of_work, locks_of
from server.places.models import Door
from server.problems import Problem

MOST_ORDERS = 200


class LockRequest(serializers.Serializer[Any]):
    """Which lock, by the id its identity gives it."""

    lock = Base64UrlField(least=LOCK_ID_LENGTH, most=LOCK_ID_LENGTH)


class MoveRequest(LockRequest):
    """Which lock, and its new door."""

    door_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)


class LockResponse(serializers.Serializer[Any]):
    """The lock as the server knows it now."""

    lock_name = serializers.CharField()
    state = serializers.ChoiceField(choices=Lock.State.values)
    door_id = serializers.IntegerField(allow_null=True, help_text="where it sits; null when on no door")
    order = Base64UrlField(
        most=retire.MAX_SIZE,
        allow_null=True,
        help_text="after remove and retire: what tells the lock, to be handed to it while it is within reach",
    )


class LockVerbView(InstallerView):
    """One thing done with one lock."""

    verb: ClassVar[Callable[..., Any]]

    def answer(self, request: Request) -> Response:
        """Do it and say where the lock is now."""
        return Response(self.done(_lock(self.valid(LockRequest, request)["lock"])))

    def done(self, lock: Lock) -> dict[str, Any]:
        """Do it and return where the lock is now."""
        type(self).verb(lock=lock, at=timezone.now(), actor=self.installer)
        lock.refresh_from_db()
        here = Binding.objects.filter(lock=lock, ends_at=None).values_list("door_id", flat=True).first()
        return {"lock_name": lock.name, "state": lock.state, "door_id": here, "order": None}


class EndingView(LockVerbView):
    """A lock leaves its door: the answer brings the order to tell it."""

    def done(self, lock: Lock) -> dict[str, Any]:
        """Do it, and sign the order for the lock itself."""
        said = super().done(lock)
        order = retire_order(lock=lock, at=timezone.now())
        return said | {"order": None if order is None else encode_bytes(order)}


def _documented(operation_id: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        parameters=[INSTALLER_HEADER],
        request=LockRequest,
        responses={200: LockResponse, 409: ProblemSerializer, **PROBLEMS},
        auth=[],
    )


def _lock(lock_id: bytes) -> Lock:
    lock: Lock | None = Lock.objects.filter(lock_id=lock_id).first()
    if lock is None:
        raise Problem("lock_unknown")
    return lock


class BatteryChangedView(LockVerbView):
    """New batteries."""

    verb = staticmethod(battery_changed)

    @_documented("battery_changed")
    def post(self, request: Request) -> Response:
        """Say that a lock's batteries were changed; its clock is uncertain until its log says otherwise."""
        return self.answer(request)


class RemoveView(EndingView):
    """Down to stock."""

    verb = staticmethod(remove_lock)

    @_documented("remove_lock")
    def post(self, request: Request) -> Response:
        """Say that a lock was taken down; its door has none from now on."""
        return self.answer(request)


class RetireView(EndingView):
    """The end."""

    verb = staticmethod(retire_lock)

    @_documented("retire_lock")
    def post(self, request: Request) -> Response:
        """Retire a lock for good; it can never be commissioned again."""
        return self.answer(request)


def _cancel(*, lock: Lock, **by: Any) -> None:
    binding = Binding.objects.filter(lock=lock, ends_at=None).select_related("lock").first()
    if binding is None:
        raise Problem("commissioning_not_pending")
    cancel_commissioning(binding=binding, **by)


class CancelView(LockVerbView):
    """It never took it in."""

    verb = staticmethod(_cancel)

    @_documented("cancel_commissioning")
    def post(self, request: Request) -> Response:
        """Take a commissioning back that the lock has not confirmed."""
        return self.answer(request)


class MoveView(InstallerView):
    """Another door for a lock we know."""

    @extend_schema(
        operation_id="move_lock",
        parameters=[INSTALLER_HEADER],
        request=MoveRequest,
        responses={200: CommissionResponse, 409: ProblemSerializer, **PROBLEMS},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Move a lock; it must be handed the package, and then `commissioned` be called."""
        body = self.valid(MoveRequest, request)
        lock = _lock(body["lock"])
        rows = Door.objects.select_related("property__owner", "municipality")
        door = rows.filter(pk=body["door_id"]).first()
        if door is None:
            raise Problem("door_unknown")
        binding = move_lock(lock=lock, door=door, at=timezone.now(), actor=self.installer)
        package = bytes(binding.commission_document or b"")
        return Response(
            {"commission": encode_bytes(package), "binding": encode_bytes(bytes(binding.binding_id))}
        )


class ObstacleSerializer(serializers.Serializer[Any]):
    """What stands in the way of a mounting."""

    code = serializers.CharField()
    who = serializers.CharField(allow_blank=True)
    door_id = serializers.IntegerField(allow_null=True)


class WayInSerializer(serializers.Serializer[Any]):
    """How to get in without the phone."""

    kind = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    hours = serializers.CharField(allow_blank=True)


class WorkOrderSerializer(serializers.Serializer[Any]):
    """One order of the day."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=WorkOrder.Kind.values)
    state = serializers.ChoiceField(choices=["ready", "blocked"])
    door_id = serializers.IntegerField()
    door_kind = serializers.ChoiceField(choices=Door.Kind.values)
    address = serializers.CharField()
    entrance = serializers.CharField(allow_blank=True)
    floor = serializers.CharField(allow_blank=True)
    number = serializers.CharField(allow_blank=True)
    lock_name = serializers.CharField(allow_blank=True)
    lock = Base64UrlField(
        most=LOCK_ID_LENGTH, allow_null=True, help_text="the lock to work at; null when it may be any"
    )
    planned_for = serializers.DateField()
    blocks = ObstacleSerializer(many=True)
    fallback = WayInSerializer()


class OrdersResponse(serializers.Serializer[Any]):
    """The day's orders in the order of work: gates before the apartments behind them."""

    orders = WorkOrderSerializer(many=True)
    more = serializers.BooleanField(help_text="whether some were left out")


class OrdersView(InstallerView):
    """The installer's day."""

    @extend_schema(
        operation_id="installer_orders",
        parameters=[
            INSTALLER_HEADER,
            OpenApiParameter("day", date, description="today when left out; what is overdue comes along"),
        ],
        responses={200: OrdersResponse, **PROBLEMS},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """List what is planned for the installer, or for nobody yet, up to a day."""
        day = _day(request.query_params.get("day"))
        found = list(day_orders(day=day, installer_id=self.installer.pk)[: MOST_ORDERS + 1])
        shown = found[:MOST_ORDERS]
        blocks, locks = blocks_of(shown, at=timezone.now()), locks_of(shown)
        orders = [
            _as_dict(order, blocks.get(order.pk, []), locks.get(order.pk))
            for stop in in_order_of_work(shown)
            for order in stop.orders
        ]
        return Response({"orders": orders, "more": len(found) > MOST_ORDERS})


class OrderDoneView(InstallerView):
    """One order done."""

    @extend_schema(
        operation_id="order_done",
        parameters=[INSTALLER_HEADER],
        request=None,
        responses={204: None, 409: ProblemSerializer, **PROBLEMS},
        auth=[],
    )
    def post(self, request: Request, order_id: int) -> Response:
        """Say that an order is done; a mounting is done by itself when its lock confirms."""
        order = WorkOrder.objects.filter(pk=order_id).first() if order_id <= MAX_ID else None
        if order is None:
            raise Problem("order_unknown")
        finish_order(order=order, at=timezone.now(), actor=self.installer)
        return Response(status=204)


def _day(text: str | None) -> date:
    if not text:
        return timezone.localdate()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Problem("invalid") from error


def _as_dict(order: WorkOrder, blocks: list[Block], lock: Lock | None) -> dict[str, Any]:
    door = order.door
    return {
        "id": order.pk,
        "kind": order.kind,
        "state": "blocked" if blocks else "ready",
        "door_id": door.pk,
        "door_kind": door.kind,
        "address": door.address,
        "entrance": door.entrance,
        "floor": door.floor,
        "number": door.number,
        "lock_name": lock.name if lock else "",
        "lock": encode_bytes(bytes(lock.lock_id)) if lock else None,
        "planned_for": order.planned_for,
        "blocks": [
            {"code": one.what.value, "who": one.who, "door_id": one.door.pk if one.door else None}
            for one in blocks
        ],
        "fallback": {
            "kind": door.fallback_kind,
            "place": door.fallback_place,
            "phone": door.fallback_phone,
            "hours": door.fallback_hours,
        },
    }
