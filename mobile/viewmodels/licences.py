"""The free software in the app and under which terms, for the screen that must say so."""

from __future__ import annotations

LICENCES = (
    ("Nyckelfri", "Apache-2.0"),
    ("anyio", "MIT"),
    ("bleak", "MIT"),
    ("cbor2", "MIT"),
    ("certifi", "MPL-2.0"),
    ("cffi", "MIT-0"),
    ("cryptography", "Apache-2.0 / BSD-3-Clause"),
    ("h11", "MIT"),
    ("httpcore", "BSD-3-Clause"),
    ("httpx", "BSD-3-Clause"),
    ("idna", "BSD-3-Clause"),
    ("Kivy", "MIT"),
    ("noiseprotocol", "MIT"),
    ("OpenSSL", "Apache-2.0"),
    ("Python", "PSF-2.0"),
    ("Roboto", "Apache-2.0"),
    ("SDL", "Zlib"),
    ("websockets", "BSD-3-Clause"),
)
"""(name, licence) of our own code, every library that the app imports, and what Kivy brings along."""
