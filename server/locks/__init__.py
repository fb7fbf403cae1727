"""Locks, where they are mounted and what the server tells them."""
