"""What a person needs to sign in."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SignIn:
    """Both factors; made up anew for every pilot and told once."""

    username: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    """Base 32, as authenticator apps take it."""
