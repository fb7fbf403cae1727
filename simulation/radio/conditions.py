"""The state of the air: distance, fading, losses and the connection interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

Position = tuple[float, float]

#: Weakest signal a typical phone or lock still decodes, in dBm.
SENSITIVITY_DBM = -95


@dataclass
class Conditions:
    """What holds for the whole ether; fields may be changed while it runs.

    ``connection_interval``: seconds between two connection events; 0.0 delivers at once, None takes what the
    central asked for. ``packets_per_event``: link-layer packets each way in one event. ``packet_loss`` and
    ``advert_loss``: probabilities 0–1 for each link-layer packet (retransmitted at the next event) and each
    advert or scan response (gone). ``connect_loss``: that of a connection request nobody hears, which the
    central learns six intervals later. ``advert_jitter``: seconds of random delay added to every advert (Core
    Vol 6 Part B 4.4.2.2.1 says up to 10 ms). ``rssi_at_1m``, ``path_loss_exponent`` and ``fading_db`` (the
    standard deviation of a seeded Gaussian) make the received strength.
    """

    connection_interval: float | None = 0.0
    packets_per_event: int = 6
    packet_loss: float = 0.0
    connect_loss: float = 0.0
    advert_loss: float = 0.0
    advert_jitter: float = 0.010
    rssi_at_1m: float = -59.0
    path_loss_exponent: float = 2.2
    fading_db: float = 0.0
    sensitivity: float = SENSITIVITY_DBM

    def strength(self, one: Position, other: Position) -> float:
        """Received strength in dBm at a distance in metres, 10 cm at least: log-distance path loss."""
        distance = max(math.dist(one, other), 0.1)
        return self.rssi_at_1m - 10 * self.path_loss_exponent * math.log10(distance)
