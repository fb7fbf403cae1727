"""Verbs of tenancy: founding a municipality, keeping its keys."""
