"""The receiver: the lock that judges tokens offline and keeps its own log."""
