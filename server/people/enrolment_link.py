"""What a page shows beside an enrolment code: the server's address, its roots, and both as a QR code.

    nyckelfri://enrol?server=https%3A%2F%2Fnyckel.kommunen.se&code=K7QF-2M9X-4TRB&root=<64 hex digits>

The root fingerprint makes the phone refuse any other server that answers at that address; a person who types
address and code compares the same digits by eye.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from urllib.parse import urlencode

import qrcode
from django.http import HttpRequest
from qrcode.image.svg import SvgPathImage

from server.tenancy.domain.keyring import root_set
from server.tenancy.models import Municipality

SHOWN_DIGITS = 32
"""The first 128 bits are enough to compare by eye; the phone shows as many."""


@dataclass(frozen=True)
class Offer:
    """One code as it is shown, this once."""

    server: str
    link: str = field(repr=False)
    qr: str = field(repr=False)
    fingerprint: str


def offer(*, request: HttpRequest, municipality: Municipality, code: str) -> Offer:
    """Return what to show beside a code just made; a municipality without roots has no fingerprint yet."""
    server = request.build_absolute_uri("/").rstrip("/")
    root = root_set(municipality).fingerprint.hex() if municipality.root_public_keys else ""
    link = "nyckelfri://enrol?" + urlencode({"server": server, "code": code, "root": root})
    return Offer(server, link, qr_svg(link), grouped(root))


def grouped(fingerprint: str) -> str:
    """Return the digits in groups of four, as they are read aloud."""
    text = fingerprint.upper()[:SHOWN_DIGITS]
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def qr_svg(text: str) -> str:
    """Return a QR code as a data address that an `img` can show under our content security policy."""
    picture = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathImage, box_size=12, border=4).save(picture)
    return "data:image/svg+xml;base64," + base64.b64encode(picture.getvalue()).decode()
