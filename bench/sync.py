"""What a phone's sync costs in bytes, against the real server over a real socket.

The pilot municipality with all its locks, one person with a shift of twelve visits, the phone's own engine.
Every byte of HTTP in both directions is counted by a relay between the two, headers included and TLS not.
"New rights" are what no sync can do without: the signed documents of the rights it brings, as bytes.
"""

import asyncio
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.database import fresh_database
from bench.output import emit
from bench.results import Figure

VISITS = 12
NAME, PIN = "anna", "493817"
PIECE = 65536


@dataclass
class Relay:
    """Passes bytes between phone and server and counts them."""

    port: int
    up: int = 0
    down: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        """Where the phone finds the server."""
        return f"http://localhost:{self.listener.getsockname()[1]}"

    def start(self) -> None:
        """Pass on until the process ends."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            phone, _address = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.port))
            for source, target, upwards in ((phone, server, True), (server, phone, False)):
                threading.Thread(target=self._pass, args=(source, target, upwards), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, upwards: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                if upwards:
                    self.up += len(piece)
                else:
                    self.down += len(piece)
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def count(self, work: Callable[[], object]) -> tuple[int, int]:
        """Return the bytes (up, down) that a piece of work sent."""
        up, down = self.up, self.down
        work()
        return self.up - up, self.down - down


def prepare() -> Any:
    """Fill the pilot, mount its locks and plan the shift; returns the pilot."""
    from django.utils import timezone  # noqa: PLC0415 - Django is set up only in `measure`
    from django_scopes import scope  # noqa: PLC0415

    from server.care.models import Client, Visit  # noqa: PLC0415
    from server.tenancy.domain.keys import found_municipality  # noqa: PLC0415
    from simulation.pilot import layout  # noqa: PLC0415
    from simulation.pilot.fill import equip  # noqa: PLC0415
    from tests.server.device import Device  # noqa: PLC0415
    from tests.server.issuer import mount  # noqa: PLC0415

    now = timezone.now()
    municipality = found_municipality(slug="lindvik", name="Lindvik", at=now).municipality
    pilot = equip(municipality, with_codes=[NAME])
    with scope(municipality=municipality):
        consented = {house.address for house in layout.houses() if house.consented}
        doors = [door for address, door in pilot.gates.items() if address in consented]
        for door in [*doors, *pilot.apartments.values()]:
            mount(door, Device(), at=now)
        shift = pilot.staff[NAME].shifts.get()
        shift.visits.all().delete()
        clients = Client.objects.filter(assignments__team=shift.team).order_by("pk")[:VISITS]
        for order, client in enumerate(clients):
            begins = shift.starts_at + timedelta(minutes=15 + 35 * order)
            Visit.objects.create(
                municipality=municipality,
                shift=shift,
                client=client,
                starts_at=begins,
                ends_at=begins + timedelta(minutes=20),
                order=order,
            )
    return pilot


def plan_ahead(pilot: Any) -> None:
    """Let the municipality issue 72 hours ahead, and plan the next two days' shifts."""
    from server.care.models import Shift  # noqa: PLC0415

    pilot.municipality.issue_horizon_hours = 72
    pilot.municipality.save()
    today = pilot.staff[NAME].shifts.get()
    for days in (1, 2):
        begins = today.starts_at + timedelta(days=days)
        Shift.objects.create(
            municipality=pilot.municipality,
            staff=today.staff,
            provider=today.provider,
            team=today.team,
            starts_at=begins,
            ends_at=begins + timedelta(hours=8),
        )


def documents(engine: Any, token_ids: set[bytes]) -> int:
    """Count the bytes of these rights' signed documents: token, lock record, bulletin."""
    from server.locks.models import Binding  # noqa: PLC0415

    content = engine._keyring.content
    rights = [right for key, right in content.rights.items() if key in token_ids]
    rows = Binding.unscoped.filter(binding_id__in=[right.binding for right in rights])
    records = {
        bytes(name): len(bytes(record)) for name, record in rows.values_list("binding_id", "lock_record")
    }
    return sum(
        len(right.token) + records[right.binding] + len(content.locks[right.binding].bulletin)
        for right in rights
    )


def figures(folder: Path, relay: Relay, pilot: Any) -> list[Figure]:
    """Enrol, sign in, and sync as a shift does."""
    from django.utils import timezone  # noqa: PLC0415
    from django_scopes import scope  # noqa: PLC0415

    from mobile.engine.engine import PhoneEngine  # noqa: PLC0415
    from mobile.engine.setup import Setup  # noqa: PLC0415
    from server.access.domain.revoke import revoke_token  # noqa: PLC0415
    from server.access.models import Revocation, Token  # noqa: PLC0415
    from simulation.demo.authenticator import code  # noqa: PLC0415

    sign_in = pilot.sign_ins[NAME]
    with asyncio.Runner() as runner:
        engine = PhoneEngine(Setup(folder, sync_seconds=None))
        run = runner.run
        run(engine.start())
        run(engine.enrol(relay.url, pilot.codes[NAME], PIN))
        run(engine.sign_in(NAME, sign_in.password))
        run(engine.second_factor(code(sign_in.totp_secret, time.time())))
        first = relay.count(lambda: run(engine.sync()))
        content = engine._keyring.content
        new = documents(engine, set(content.rights))
        nothing = relay.count(lambda: run(engine._syncer.look()))
        with scope(municipality=pilot.municipality):
            lost = Token.objects.get(token_id=next(iter(content.rights)))
            revoke_token(token=lost, reason=Revocation.Reason.OTHER, at=timezone.now())
        revoked = relay.count(lambda: run(engine.sync()))
        with scope(municipality=pilot.municipality):
            plan_ahead(pilot)
        ahead = relay.count(lambda: run(engine.sync()))
        later = engine._keyring.content.rights.keys() - content.rights.keys()
        days = documents(engine, set(later))
        run(engine.stop())
    detail = f"{len(content.rights)} rights, {len(content.doors)} doors, {len(content.visits)} visits; "
    return [
        Figure(
            "sync.shift_bytes_beyond_rights",
            sum(first) - new,
            "bytes",
            "≤ 20000",
            detail + f"{first[0]} up, {first[1]} down, of which {new} are the rights' own documents",
        ),
        Figure("sync.look_bytes", sum(nothing), "bytes", "", f"{nothing[0]} up, {nothing[1]} down"),
        Figure(
            "sync.three_days_bytes_beyond_rights",
            sum(ahead) - days,
            "bytes",
            "",
            f"{len(later)} rights of two more shifts; {ahead[0]} up, {ahead[1]} down, of which {days} are "
            "their documents (negative: packing won more than everything else cost)",
        ),
        Figure("sync.one_revoked_bytes", sum(revoked), "bytes", "", f"{revoked[0]} up, {revoked[1]} down"),
    ]


def measure() -> list[Figure]:
    """Count on a fresh server."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the phone's loop stands still while the database is asked
    with fresh_database(), tempfile.TemporaryDirectory() as folder:
        from tests.integration.asgiserver import AsgiServer  # noqa: PLC0415

        pilot = prepare()
        server = AsgiServer()
        server.start()
        relay = Relay(int(server.url.rsplit(":", 1)[1]))
        relay.start()
        try:
            return figures(Path(folder), relay, pilot)
        finally:
            server.stop()


if __name__ == "__main__":
    emit(measure())
