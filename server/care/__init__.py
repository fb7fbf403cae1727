"""Clients known by alarm code, assignments, shifts, visits and consents."""
