"""The fixed fault mix: what a stairwell does to a radio, and how often. Chosen once, before the first run.

None of these numbers was measured by us; they are set on the harsh side of what is known of 2.4 GHz indoors,
so that a count under them errs downwards. They are not to be tuned until a result looks well: what fails
under them is mended in the engine or the lock, or stands in the report.

Air. Most taps are made half a metre from an ordinary door. A security door is sheet steel with the lock on
its inner side and costs 15 to 20 dB; a lift shaft or a corner of concrete costs as much again. Packet loss
follows: a few per cent in the clear, a quarter behind concrete. Adverts fare worse than packets, for nobody
repeats them and a phone that also uses Wi-Fi listens only part of the time; connection requests are sent once
and fare between.

Mishaps. Links die when the person turns and the body (3 to 10 dB) or a steel door comes between; Bluetooth
stacks swallow a notification now and then; people tap before they have arrived, or step back for the bag they
left by the lift; Android ends scans without a word; two colleagues come together; a neighbour's gadget
connects to anything that advertises.

The phone. Links are given up after five seconds of silence as Android does (bumble's own 0.72 s would make
lost links look cheap), at connection intervals of 15, 30 and 50 ms and the MTUs that phones are known to ask
for.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Air:
    """One kind of stairwell; losses are probabilities for each link-layer packet, advert and request."""

    name: str
    share: float
    packet_loss: float
    advert_loss: float
    connect_loss: float
    strength: float
    """Mean strength of the tapped door's lock in dBm; single adverts fade around it."""


AIRS = (
    Air("clear", 0.60, packet_loss=0.02, advert_loss=0.10, connect_loss=0.02, strength=-60.0),
    Air("steel door", 0.25, packet_loss=0.10, advert_loss=0.30, connect_loss=0.10, strength=-74.0),
    Air("concrete", 0.12, packet_loss=0.25, advert_loss=0.50, connect_loss=0.25, strength=-83.0),
    Air("edge of range", 0.03, packet_loss=0.40, advert_loss=0.70, connect_loss=0.40, strength=-90.0),
)
FADING_DB = 6.0
INTERVALS_MS = (15.0, 30.0, 50.0)
SUPERVISION_MS = 5000
MTUS = (185, 247, 517, 517)

MISHAPS = {
    "link cut": 0.03,  # for good, at a random packet of the talk
    "packet swallowed": 0.01,  # the sender believes that it arrived
    "bits flipped": 0.002,  # past the CRC: a defect, or somebody who means it
    "tapped too early": 0.08,  # out of range for another 2 to 8 seconds
    "stepped away": 0.02,  # out of range for 1 to 5 seconds in the middle
    "scan fell silent": 0.01,
    "colleague": 0.04,  # taps the same door within a second and a half
    "thief beside": 0.02,  # taps it too, with no right to it
    "stranger's link": 0.01,  # connects and says nothing
    "new battery": 0.001,  # the lock has lost its clock
    "lock restarts": 0.0002,  # once in 5 000 taps, in the middle
}
"""Probability of each for one tap, independent of one another."""

HINDRANCES = {"jammed": 0.01, "motor dead": 0.003, "sensor dead": 0.002, "hand on the knob": 0.005}
"""What no radio can mend: the door does not open, and the phone must say so. Share of all taps."""

WRONGFUL_AFTER_OPENING = 0.27
"""How often somebody without a right tries the door next: some 15 % of all taps."""


@dataclass(frozen=True)
class Luck:
    """What befalls one tap."""

    air: Air
    mishaps: frozenset[str]
    hindrance: str = ""


def draw(chance: Random) -> Luck:
    """The luck of a rightful tap."""
    hit = frozenset(name for name, share in MISHAPS.items() if chance.random() < share)
    return Luck(air(chance), hit, _one_of(HINDRANCES, chance))


def air(chance: Random) -> Air:
    """One kind of air, by its share."""
    return chance.choices(AIRS, [each.share for each in AIRS])[0]


def _one_of(shares: dict[str, float], chance: Random) -> str:
    left = chance.random()
    for name, share in shares.items():
        left -= share
        if left < 0:
            return name
    return ""
