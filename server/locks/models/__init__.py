"""Locks: the devices, where they sit, what they are told, and the work to be done at them."""

from server.locks.models.devices import Binding, BindingGroup, Bulletin, Lock, LockStatus, LogPosition
from server.locks.models.firmware import FirmwareRelease
from server.locks.models.news import BulletinDue
from server.locks.models.orders import WorkOrder
from server.locks.models.service import ServiceRight

__all__ = [
    "Binding",
    "BindingGroup",
    "Bulletin",
    "BulletinDue",
    "FirmwareRelease",
    "Lock",
    "LockStatus",
    "LogPosition",
    "ServiceRight",
    "WorkOrder",
]
