"""Admin pages of keys; the rows themselves are `server.tenancy`'s."""

from server.keys.admin import drafts

__all__ = ["drafts"]
