"""Property owners, properties, doors and the ways in."""
