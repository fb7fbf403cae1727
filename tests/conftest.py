"""What every test shares."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Two slow cores must not turn a right answer into a failed deadline; the number of examples is what counts.
settings.register_profile("nyckelfri", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nyckelfri")
