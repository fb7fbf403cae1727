"""Admin pages of issued keys, revocations, and rights beside the plan."""

from server.access.admin import extras, tokens

__all__ = ["extras", "tokens"]
