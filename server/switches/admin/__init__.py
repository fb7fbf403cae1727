"""Admin pages of provider switches: the list, choosing and previewing, the proof."""

from server.switches.admin import switches

__all__ = ["switches"]
