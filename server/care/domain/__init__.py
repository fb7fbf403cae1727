"""What can be done to consents, clients and their metal keys."""
