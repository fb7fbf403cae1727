"""What moves the bolt: the port every driver fills in, and a simulated motor with faults and hands."""
