"""Discovery of a peer's GATT services into bleak's collection."""

from __future__ import annotations

from typing import cast

from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic, GattCharacteristicsFlags
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.uuids import normalize_uuid_str
from bumble.core import UUID
from bumble.device import Peer
from bumble.gatt_client import CharacteristicProxy, ServiceProxy

#: A write without response and a notification both carry the MTU less opcode and handle.
ATT_VALUE_HEADER = 3


def text(uuid: UUID) -> str:
    """A UUID as bleak writes it."""
    return normalize_uuid_str(uuid.to_hex_str("-"))


async def discover(peer: Peer, wanted: set[str] | None) -> BleakGATTServiceCollection:
    """Ask for services (all, or those wanted), their characteristics and descriptors."""
    if wanted is None:
        services = await peer.discover_services()
    else:
        services = [found for uuid in sorted(wanted) for found in await peer.discover_service(UUID(uuid))]
    collection = BleakGATTServiceCollection()
    for service in services:
        await _add_service(peer, service, collection)
    return collection


async def _add_service(peer: Peer, service: ServiceProxy, collection: BleakGATTServiceCollection) -> None:
    entry = BleakGATTService(service, service.handle, text(service.uuid))
    collection.add_service(entry)
    for characteristic in await peer.discover_characteristics(service=service):
        await _add_characteristic(peer, characteristic, entry, collection)


async def _add_characteristic(
    peer: Peer,
    characteristic: CharacteristicProxy[bytes],
    service: BleakGATTService,
    collection: BleakGATTServiceCollection,
) -> None:
    flags = [flag for flag in GattCharacteristicsFlags if characteristic.properties & flag.value]
    entry = BleakGATTCharacteristic(
        characteristic,
        characteristic.handle,
        text(characteristic.uuid),
        [cast(CharacteristicPropertyName, flag.name.replace("_", "-")) for flag in flags],
        lambda: peer.connection.att_mtu - ATT_VALUE_HEADER,
        service,
    )
    collection.add_characteristic(entry)
    for descriptor in await peer.discover_descriptors(characteristic):
        collection.add_descriptor(
            BleakGATTDescriptor(descriptor, descriptor.handle, text(descriptor.type), entry)
        )
    # Or bumble asks for them again at every subscription.
    characteristic.descriptors_discovered = True
