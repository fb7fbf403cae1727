"""Issued tokens, revocations, and rights beside the plan."""

from server.access.models.extras import ExtraRight, StandingRight
from server.access.models.revocations import Revocation
from server.access.models.tokens import Token

__all__ = ["ExtraRight", "Revocation", "StandingRight", "Token"]
