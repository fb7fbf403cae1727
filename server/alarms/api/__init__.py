"""Alarms over HTTP: for phones, and for the alarm system."""
