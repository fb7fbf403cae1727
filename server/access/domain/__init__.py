"""Verbs of access: issuing, revoking, exposure."""
