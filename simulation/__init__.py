"""The testers' bench: a simulated radio, a bleak backend and faults."""
