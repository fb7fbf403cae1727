"""Verbs of passages: taking logs in, noticing what is wrong with them, forgetting what is old."""
