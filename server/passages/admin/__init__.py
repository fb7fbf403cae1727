"""Admin pages of passages and of deviations."""

from server.passages.admin import deviations, passages

__all__ = ["deviations", "passages"]
