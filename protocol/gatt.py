"""What stands on the Bluetooth air: UUIDs, sizes and timers. One place, quoted by docs/protocol.md."""

PROTOCOL_VERSION = 1

SERVICE_UUID = "6e79636b-0001-4c8f-9a57-3f6c1d2e8b40"
SUITE1_RX_UUID = "6e79636b-0101-4c8f-9a57-3f6c1d2e8b40"
"""Phone to lock, suite 1: write without response, one frame a write."""
SUITE1_TX_UUID = "6e79636b-0102-4c8f-9a57-3f6c1d2e8b40"
"""Lock to phone, suite 1: notify, one frame a notification; subscribing chooses the suite."""
SUITE2_RX_UUID = "6e79636b-0201-4c8f-9a57-3f6c1d2e8b40"
SUITE2_TX_UUID = "6e79636b-0202-4c8f-9a57-3f6c1d2e8b40"
"""Reserved for suite 2; a lock of version 1 need not offer them."""

COMPANY_ID = 0xFFFF
"""Manufacturer id for tests (Bluetooth Assigned Numbers); to be replaced by an assigned one before sale."""

MIN_MTU, MAX_MTU = 23, 517
ATT_HEADER = 3
"""An ATT write or notification carries MTU - 3 bytes."""
MAX_ATTRIBUTE = 512
"""No attribute value is longer (Bluetooth Core 5.4 vol 3 part F 3.2.9)."""

M0_LIFE_SECONDS = 5
"""An m0 is dead this long after it was sent ..."""
M0_STREAM_GRACE_SECONDS = 3
"""... unless the first fragment of m1 came in time: then this much more."""
M0_LEAST_SECONDS = 3
"""An m0 that nobody has tried may be said again, on this link or another, while it lives so long yet."""
MAX_M0_PER_LINK = 4
"""After saying m0 so often without a finished handshake the lock ends the link."""
STRANGER_SECONDS = 2
"""When links are short, the oldest one without a finished handshake after this time is evicted."""
MIN_LINKS = 3
FRESH_TIME_SECONDS = 10
"""A fresh time statement is believed this long after the lock sent the m0 it was signed over, and once."""
REJUDGE_SECONDS = 5
"""A refusal that a bulletin can cure is judged once more if the bulletin comes within this time."""
SESSION_SECONDS = 30
"""A session without any message for this long, or so long after its refusal or m3, is ended by the lock."""
SERVICE_SECONDS = 900
"""A service session may go on for so long after m3, as long as its phone is heard."""
SETUP_SECONDS = 300
"""A lock without a door is on the air for so long after its setup button was held."""
LOG_SESSION_BYTES = 4096
"""A phone takes, and a lock gives, at most this much sealed log in one session (bytes)."""
LOG_SESSION_SECONDS = 2
ADVERT_ROTATION_SECONDS = 15 * 60

MAX_HANDSHAKE_MESSAGE = 512
"""Largest m1 a lock takes in from somebody it does not know yet."""
MAX_SESSION_MESSAGE = 12 * 1024
"""Largest message inside an established session, sealed size."""
MAX_SEALED_LOG = 5120
"""Largest sealed log batch anybody parses: a signed batch of the largest size and its seal."""
