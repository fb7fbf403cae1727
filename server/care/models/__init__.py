"""Care: clients and assignments, the plan, and consents."""

from server.care.models.clients import CareAssignment, Client
from server.care.models.consents import Consent, ConsentDocument
from server.care.models.planning import Shift, Visit

__all__ = ["CareAssignment", "Client", "Consent", "ConsentDocument", "Shift", "Visit"]
