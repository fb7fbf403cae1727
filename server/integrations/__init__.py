"""Business systems: their keys, and the bulk import of staff, clients, assignments, shifts and visits."""
