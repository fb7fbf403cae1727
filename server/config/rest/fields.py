"""Serializer fields of the API: bytes as base64url, app versions."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from server.tenancy.domain.versions import VERSION


def encode_bytes(value: bytes) -> str:
    """Return base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode_bytes(text: str) -> bytes:
    """Return the bytes; raises ValueError for anything but their one canonical base64url form."""
    try:
        value = base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64url") from error
    if encode_bytes(value) != text:
        raise ValueError("not canonical base64url")
    return value


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z0-9_-]*$"})
class Base64UrlField(serializers.Field[bytes, str, str, Any]):
    """Bytes as base64url without padding, of bounded length."""

    default_error_messages = {
        "invalid": "Must be base64url without padding.",
        "length": "Must be {least} to {most} bytes.",
    }

    def __init__(self, *, least: int = 1, most: int, **kwargs: Any) -> None:
        """`least` and `most`: the length allowed, in bytes."""
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def to_internal_value(self, data: str) -> bytes:
        """Decode strictly."""
        if not isinstance(data, str) or len(data) > (self.most * 4 + 2) // 3:
            self.fail("invalid" if not isinstance(data, str) else "length", least=self.least, most=self.most)
        try:
            value = decode_bytes(data)
        except ValueError:
            self.fail("invalid")
        if not self.least <= len(value) <= self.most:
            self.fail("length", least=self.least, most=self.most)
        return value

    def to_representation(self, value: bytes) -> str:
        """Encode."""
        return encode_bytes(bytes(value))


class VersionField(serializers.RegexField):
    """An app version, such as 1.4.0."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(VERSION, max_length=14, **kwargs)
