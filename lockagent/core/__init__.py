"""The lock's judgement: a state machine without I/O, clock or radio of its own."""
