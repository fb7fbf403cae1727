"""What the three parties agree on, as pure functions and small state machines: no I/O, no clock."""
