"""Admin pages of locks and of the work at them."""

from server.locks.admin import devices, firmware, orders, registers

__all__ = ["devices", "firmware", "orders", "registers"]
