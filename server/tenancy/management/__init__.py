"""Commands of `server.tenancy`."""
