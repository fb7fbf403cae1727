"""Verifying a completeness statement offline: `python -m verify FILE`. Knows `protocol`, no server.

A program of its own, beside the three parties: whoever doubts the issuer must not need the issuer's code. It
reads one file and prints what `protocol.proof` finds.
"""
