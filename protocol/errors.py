"""Errors that parsing and verifying can end in; none of them carries secret or hostile bytes."""


class ProtocolError(ValueError):
    """Bytes that do not follow the specification; the message says what and where."""


class SignatureError(ProtocolError):
    """Well-formed bytes whose signature does not hold under the key and context asked for."""


class HandshakeFailedError(ProtocolError):
    """The handshake ended before the peer was authenticated; the message names the step for counters only."""


class ChannelError(ProtocolError):
    """A message of an established session could not be opened; the session is dead from here on."""
