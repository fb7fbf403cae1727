"""Admin pages of alarms: raising and following one, who responds, and the systems that may call."""

from server.alarms.admin import alarms, responders, systems

__all__ = ["alarms", "responders", "systems"]
