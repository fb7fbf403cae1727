"""A made-up municipality of the size of a first pilot: 35 clients, 45 locks, 11 owners, 10 staff."""
