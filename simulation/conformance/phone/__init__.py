"""The half of the kit that tries phones: a lock that follows a script, right or wrong."""
