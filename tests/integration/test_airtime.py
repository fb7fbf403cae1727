"""The demo counts on the radio: what it finds agrees with the phone's own count."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobile.engine.state import OpeningState
from simulation.demo.airtime import Airtime, measure
from simulation.radio.packets import ATT_WRITE_REQUEST
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import World, world


@pytest.mark.parametrize("mtu", [23, 247])
def test_the_radio_counts_what_the_phone_says_it_spent(tmp_path: Path, mtu: int) -> None:
    @virtual_time
    async def story() -> None:
        w: World = world(tmp_path)
        lock, phone = await w.at_the_door(mtu=mtu)
        with w.ether.record(phone.radio.controller.name) as air:
            opening = await phone.engine.open_door(lock.door_id)
            await phone.engine.settled()
        assert opening.state is OpeningState.OPEN
        told = phone.engine.last_traffic
        assert told is not None
        assert measure(air.packets) == Airtime(told.round_trips, told.application_bytes)
        assert told.round_trips == 2
        subscribed = [packet.opcode for packet in air.values()].index(ATT_WRITE_REQUEST)
        assert measure(air.values()[: subscribed + 1]) == Airtime()
        await w.close()

    story()
