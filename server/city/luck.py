"""Chance and keys that follow from a seed, so that a city can be made again."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Luck:
    """A stream of chance for each part of the city: what one part draws does not move the others."""

    def __init__(self, seed: int, slug: str) -> None:
        self.seed = f"{slug}:{seed}"

    def stream(self, part: str) -> random.Random:
        """Return the stream named `part`, from its beginning."""
        return random.Random(f"nyckelfri-city-1:{self.seed}:{part}")  # noqa: S311  nothing here is a secret

    def octets(self, part: str, number: int, length: int = 32) -> bytes:
        """Return bytes for the `number`-th thing of a kind: a private key, an id, a device token."""
        name = f"nyckelfri-city-1:{self.seed}:{part}:{number}".encode()
        return hashlib.sha256(name).digest()[:length]

    def device_token(self, phone: int) -> str:
        """Return the device token that the `phone`-th phone sends with its calls."""
        return self.octets("device-token", phone).hex()


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Split `total` into whole numbers in proportion to `weights`, none forgotten (largest remainders)."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [int(one) for one in exact]
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts
