"""Handing in logs."""
