"""Commands of `server.keys`."""
