"""Verbs of locks: commissioning, bulletins, receipts, fresh time."""
