"""Municipalities: the tenants, their keys and the walls between them."""
