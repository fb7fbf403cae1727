"""bleak backends over the simulated radio, so that a phone's genuine bleak code runs against it."""

from simulation.backend.phone import PhoneRadio

__all__ = ["PhoneRadio"]
