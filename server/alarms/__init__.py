"""Alarms: an acute call at one door, offered to the nearest who may respond, and a right for minutes."""
