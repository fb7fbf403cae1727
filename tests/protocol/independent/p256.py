"""Section 24.3 in plain numbers: points of P-256 (SEC 1, 2.3.4) and ECDSA (FIPS 186-5, 6.4.2)."""

import hashlib

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
A = -3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None
"""None is the point at infinity."""


class ProofError(Exception):
    """No key, or no proof by it."""


def point(data: bytes) -> Point:
    """A compressed point."""
    x = int.from_bytes(data[1:], "big")
    if len(data) != 33 or data[0] not in (2, 3) or x >= P:
        raise ProofError("form of the key")
    square = (x**3 + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        raise ProofError("not on the curve")
    return x, y if y % 2 == data[0] % 2 else P - y


def add(one: Point, two: Point) -> Point:
    if one is None or two is None:
        return one or two
    (x1, y1), (x2, y2) = one, two
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(number: int, one: Point) -> Point:
    result: Point = None
    while number:
        if number & 1:
            result = add(result, one)
        one, number = add(one, one), number >> 1
    return result


def verify(public: bytes, proof: bytes, message: bytes) -> None:
    key = point(public)
    r, s = int.from_bytes(proof[:32], "big"), int.from_bytes(proof[32:], "big")
    if len(proof) != 64 or not (1 <= r < N and 1 <= s <= (N - 1) // 2):
        raise ProofError("form of the proof")
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, N)
    found = add(times(digest * inverse % N, G), times(r * inverse % N, key))
    if found is None or found[0] % N != r:
        raise ProofError("proof")


def public(private: bytes) -> bytes:
    found = times(int.from_bytes(private, "big"), G)
    assert found is not None
    return bytes([2 + found[1] % 2]) + found[0].to_bytes(32, "big")
