"""Admin pages of business systems: their keys, and imports with the upload page."""

from server.integrations.admin import keys, uploads

__all__ = ["keys", "uploads"]
