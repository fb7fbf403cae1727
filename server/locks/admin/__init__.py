"""Admin pages of locks and of the work at them."""

from server.locks.admin import devices, orders, registers

__all__ = ["devices", "orders", "registers"]
