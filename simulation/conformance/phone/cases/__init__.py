"""All of a phone's cases: importing a module of this package enters its cases into the register."""

from simulation.conformance.phone.case import CASES
from simulation.conformance.phone.cases import manners, refusals, truth, unbelieved

__all__ = ["CASES", "manners", "refusals", "truth", "unbelieved"]
