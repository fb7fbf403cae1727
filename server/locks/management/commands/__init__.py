"""Commands of `server.locks`."""
