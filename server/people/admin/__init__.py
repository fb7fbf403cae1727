"""Admin pages of users, care providers, staff and phones."""

from server.people.admin import phones, staff, users

__all__ = ["phones", "staff", "users"]
