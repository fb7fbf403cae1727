"""What stands between a phone and an open door, real as far as it goes: coverage, and the server's lock."""

from __future__ import annotations

import os
import time

import httpx

from lockagent.agent import Agent, Parts
from lockagent.core.clock import RtcReading
from lockagent.core.identity import LockSecrets
from lockagent.core.memory import BLANK
from lockagent.lockfolder import store_over
from lockagent.motor.port import Motor
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from protocol import commission
from protocol.reasons import Reason
from server.locks.models import Binding
from simulation.radio import Ether
from tests.lockagent.crashdisk import CrashDisk
from tests.server.device import Device


class Coverage(httpx.AsyncBaseTransport):
    """The way to the server, which a test can cut."""

    def __init__(self) -> None:
        self.there = True
        self._way = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.there:
            raise httpx.ConnectError("no coverage", request=request)
        return await self._way.handle_async_request(request)

    async def aclose(self) -> None:
        await self._way.aclose()


async def on_the_air(ether: Ether, device: Device, binding: Binding, motor: Motor | None = None) -> Agent:
    """The lock that the server commissioned, as a real agent with a real radio.

    It was commissioned in January and has heard nothing since: the phone's bulletin sets its clock.
    """
    secrets = LockSecrets(device.static_private, device.log_seed, device.seal_private)
    store = store_over(CrashDisk(), secrets)
    store.create(BLANK.encode())
    controller = ether.controller("lock", position=(1.0, 0.0))
    radio = BumbleRadio(controller, controller, os.urandom)
    motor = motor or SimulatedMotor(travel_seconds=0.2)
    agent = Agent(Parts(store, secrets, motor, RtcReading(int(time.time())), os.urandom), radio=radio)
    assert binding.commission_document is not None
    assert agent.commission(commission.verify(bytes(binding.commission_document))) is Reason.GRANTED
    await agent.start()
    return agent
