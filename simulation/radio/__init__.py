"""A simulated Bluetooth LE radio in one process.

A peripheral gets a bumble device (or just HCI) from the ether and runs its real code on it::

    ether = Ether(seed=7)
    device = ether.attach("lock-1", position=(3.0, 0.0))     # a bumble Device, not yet powered on
    await device.power_on()

    controller = ether.controller("lock-2")                  # both HCI source and HCI sink
    device = Device.with_hci("lock-2", address, controller, controller)

A phone gets bleak backends of its own and uses genuine bleak above them::

    radio = PhoneRadio(ether, "anna", position=(0.0, 0.0), mtu=247)      # simulation.backend
    BleakScanner(on_advert, service_uuids=[uuid], backend=radio.scanner_backend)
    BleakClient(ble_device, backend=radio.client_backend)
    radio.move((40.0, 0.0)); await radio.switch_off(); await radio.switch_on()

The air: ``ether.conditions`` (connection interval, losses, path loss), ``ether.move``, ``ether.set_rssi``,
``ether.remove`` (a power cut), ``ether.record`` and ``HciRecording`` (for replay and counting),
``ether.add_rule`` (faults, see ``simulation.faults``). Time is the event loop's, real or that of
``simulation.virtualtime``.
"""

from simulation.radio.conditions import Conditions, Position
from simulation.radio.controller import VirtualController
from simulation.radio.ether import Ether
from simulation.radio.packets import Fate, Packet, Rule, Side, Verdict
from simulation.radio.recording import HciRecording, Recording

__all__ = [
    "Conditions",
    "Ether",
    "Fate",
    "HciRecording",
    "Packet",
    "Position",
    "Recording",
    "Rule",
    "Side",
    "Verdict",
    "VirtualController",
]
