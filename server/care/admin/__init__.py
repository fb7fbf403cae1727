"""Admin pages of clients, assignments, the plan and consents."""

from server.care.admin import clients, consents, planning

__all__ = ["clients", "consents", "planning"]
