"""Whole working days in a real browser, against a real server with a made-up city in it."""
