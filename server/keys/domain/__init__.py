"""Verbs of keys: proposing a manifest, taking signatures in, bringing it into force, and what follows."""
