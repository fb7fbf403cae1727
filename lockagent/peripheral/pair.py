"""A suite's two characteristics: one that phones write to, one that the lock notifies."""

from __future__ import annotations

from collections.abc import Callable

from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue

from protocol.suites import Suite


class Pair:
    """Made once for each suite that the lock offers."""

    def __init__(
        self,
        suite: Suite,
        written: Callable[[Connection, bytes, Suite], None],
        subscribed: Callable[[Connection, bool, Suite], None],
    ) -> None:
        """`written`, `subscribed`: called with the suite whose characteristic it was."""
        self.suite = suite
        self.to_phone: Characteristic[bytes] = Characteristic(
            suite.tx_uuid,
            Characteristic.Properties.NOTIFY,
            Characteristic.READABLE,
            CharacteristicValue(read=lambda _connection: b""),
        )
        self.from_phone: Characteristic[bytes] = Characteristic(
            suite.rx_uuid,
            Characteristic.Properties.WRITE_WITHOUT_RESPONSE | Characteristic.Properties.WRITE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=lambda connection, value: written(connection, value, suite)),
        )
        self.to_phone.on(
            Characteristic.EVENT_SUBSCRIPTION,
            lambda connection, notify, _indicate: subscribed(connection, notify, suite),
        )

    @property
    def characteristics(self) -> list[Characteristic[bytes]]:
        """In the order of the page's table."""
        return [self.from_phone, self.to_phone]
