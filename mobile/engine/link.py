"""One Bluetooth link to one lock: connect, subscribe, frames out, frames in; every step has its bound."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice

from mobile.engine.radio import LinkLostError, Radio, RadioOffError, bounded
from mobile.engine.traffic import Traffic
from protocol.suites import Suite

SUBSCRIBE_SECONDS = 4.0
WRITE_SECONDS = 4.0
CLOSE_SECONDS = 3.0
MAX_WAITING = 256
"""Frames not yet read; a lock never sends that many (the largest message at the smallest MTU is bounded by
the session's reassembler), so more is somebody who floods."""


class Link:
    """A link is used once. Its inbox ends with None when the connection is lost."""

    def __init__(self, radio: Radio, traffic: Traffic, suite: Suite) -> None:
        """`suite`: that of the phone's key; its two characteristics are used and no others."""
        self._radio, self.traffic, self._suite = radio, traffic, suite
        self._client: BleakClient | None = None
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING * 8)
        self._lost = False

    async def connect(self, device: BLEDevice, seconds: float) -> None:
        """Connect and find the characteristics. Raises LinkLostError or RadioOffError."""
        client = self._radio.client(device, self._on_lost, seconds)
        self._client = client
        await bounded(client.connect(), seconds)

    @property
    def capacity(self) -> int:
        """Bytes that one write without response carries. Raises LinkLostError without a connection."""
        return max(self._characteristic(self._suite.rx_uuid).max_write_without_response_size, 20)

    async def subscribe(self) -> None:
        """Enable notifications, upon which the lock speaks first."""
        characteristic = self._characteristic(self._suite.tx_uuid)
        self.traffic.subscribed()
        await bounded(self._open_client().start_notify(characteristic, self._on_frame), SUBSCRIBE_SECONDS)

    async def send(self, frames: Iterable[bytes]) -> None:
        """Write the frames of whole messages, in order."""
        for frame in frames:
            characteristic = self._characteristic(self._suite.rx_uuid)
            self.traffic.sent(frame)
            client = self._open_client()
            await bounded(client.write_gatt_char(characteristic, frame, response=False), WRITE_SECONDS)

    async def receive(self, seconds: float) -> bytes:
        """The next frame, or empty bytes after ``wake``.

        Raises LinkLostError when the link is lost, TimeoutError when nothing comes.
        """
        if self._inbox.empty() and self._lost:
            raise LinkLostError("disconnected")
        async with asyncio.timeout(seconds):
            frame = await self._inbox.get()
        if frame is None:
            raise LinkLostError("disconnected")
        if frame:
            self.traffic.heard(frame)
        return frame

    def wake(self) -> None:
        """Let ``receive`` return an empty frame: somebody has something to send."""
        self._inbox.put_nowait(b"")

    async def close(self) -> None:
        """End the link; never raises, and never takes longer than a few seconds."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await bounded(client.disconnect(), CLOSE_SECONDS)
        except (LinkLostError, RadioOffError):
            return  # it is gone, which is what was wanted

    def _open_client(self) -> BleakClient:
        if self._client is None or self._lost:
            raise LinkLostError("not connected")
        return self._client

    def _characteristic(self, uuid: str) -> BleakGATTCharacteristic:
        client = self._open_client()
        if not client.is_connected:
            raise LinkLostError("not connected")
        found = client.services.get_characteristic(uuid)
        if found is None:
            raise LinkLostError("not a lock of ours")
        return found

    def _on_frame(self, _characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        if self._inbox.qsize() >= MAX_WAITING:
            self._on_lost(None)  # a flood: stop reading, the attempt ends and is made anew
            return
        self._inbox.put_nowait(bytes(data))

    def _on_lost(self, _client: BleakClient | None) -> None:
        if not self._lost:
            self._lost = True
            self._inbox.put_nowait(None)
