"""The story itself: one working day at the bench, step by step, each step checked as it happens."""

import asyncio
import json
from pathlib import Path
from typing import Self

from lockagent.bolt import Bolt, Order
from mobile.engine.state import DoorKind, OpeningState
from protocol.reasons import reason
from simulation.demo.airtime import Airtime
from simulation.demo.attacks import ModifiedPhone, read_out
from simulation.demo.cast import Bench, Cast, expect, named, until, until_async
from simulation.demo.installer import Installer, RefusedByServerError
from simulation.demo.livepage import LivePage
from simulation.demo.phones import StaffPhone
from simulation.pilot import layout
from simulation.radio.recording import HciRecording

Phones = tuple[StaffPhone, StaffPhone, StaffPhone]
"""Anna's, Björn's and Fatima's."""
DAY_SECONDS = 9.5 * 3600
"""From the morning's beginning until after the day shift's keys have run out."""


class Story(Cast):
    """The day. A window may be showing Anna's phone."""

    def __init__(self, bench: Bench, phones: Phones, modified: ModifiedPhone) -> None:
        super().__init__(bench)
        self.anna, self.bjorn, self.fatima = phones
        self.modified = modified
        self.airtime = Airtime()
        self._recorded: list[bytes] = []

    @classmethod
    async def on(cls, bench: Bench) -> Self:
        """Hand out the phones, the modified one too."""
        phones = (await bench.phone("anna"), await bench.phone("bjorn"), await bench.phone("fatima"))
        return cls(bench, phones, await ModifiedPhone.in_street(bench.street))

    async def run(self) -> None:
        """Tell it from beginning to end."""
        for title, chapter in (
            ("Locks are mounted", self.mounting),
            ("The shift begins, with coverage", self.shift_begins),
            ("The server is stopped; phone and lock are on their own", self.offline),
            ("What must not open does not open", self.attacks),
            ("A lost answer, and the resident's own hand", self.lost_answer),
            ("The day shift is over", self.evening),
            ("The server comes back and the passages come home", self.homecoming),
            ("A colleague carries the receipts to the locks", self.receipts),
        ):
            self.bench.narrator.chapter(title)
            await chapter()

    async def close(self) -> None:
        """Put the phones away and let the street end."""
        for phone in (self.anna, self.bjorn, self.fatima):
            await phone.put_away()
        await self.bench.street.stop()

    # -- morning --------------------------------------------------------------------------------------------

    async def mounting(self) -> None:
        """Gates first, then the apartments behind them; the owner without consent gets no lock."""
        pilot = self.bench.pilot
        refused: list[str] = []
        async with Installer(
            self.bench.server.url, self.bench.sign_in("montor"), self.bench.clock
        ) as installer:
            for number, (address, door_id) in enumerate(pilot["gates"].items(), start=1):
                try:
                    await installer.mount(self.bench.street, f"port-{number:02d}", door_id)
                except RefusedByServerError as error:
                    refused.append(f"{address}: {error}")
            with_lock = [code for code in pilot["apartments"] if _has_lock(code)]
            for code in with_lock:
                await installer.mount(self.bench.street, f"dorr-{code}", pilot["apartments"][code])
            for door_id in pilot["practice"].values():
                await installer.mount(self.bench.street, "ovningslas", door_id)
        locks = len(self.bench.street.mounted)
        expected = layout.GATES_WITH_LOCKS + layout.APARTMENT_LOCKS + len(pilot["practice"])
        expect(locks == expected, f"{locks} locks were mounted")
        expect(len(refused) == 1, f"the server refused {len(refused)} gates for a missing consent")
        self.tell(f"{locks} locks made their own keys and were bound to their doors over HTTP.")
        self.tell(f"One gate got no lock, its owner has not consented — {refused[0]}")

    async def shift_begins(self) -> None:
        """Three phones enrol, sign in with both factors and fetch what their shifts need."""
        for phone in (self.anna, self.bjorn, self.fatima):
            await phone.begin_shift(self.bench.server.url, self.bench.pilot["codes"][phone.name])
            state = phone.engine.state
            expect(phone.doors_with_rights > 0, f"{phone.name} holds {phone.doors_with_rights} rights")
            self.tell(
                f"{phone.person}'s phone is enrolled and signed in: "
                f"{phone.doors_with_rights} doors, {len(state.visits)} visits."
            )
        await self.bjorn.engine.begin_practice()
        self.tell(f"Björn is new; he asks for the practice lock at {layout.OFFICE}, which is on no door.")

    async def offline(self) -> None:
        """Gate, apartment, and lock on leaving, with nobody answering on the server's address."""
        status = await asyncio.to_thread(self.bench.server.stop)
        expect(status == 0 and not self.bench.server.answers, "the server did not stop in order")
        self.tell("The server process has ended; nobody answers on its address.")
        gate, apartment = self.first_visit(self.anna)
        street, radio = self.bench.street, self.anna.radio
        await street.record(radio.name)
        with HciRecording(radio.tapped) as recording:
            await self.opens(self.anna, gate)
        self._recorded = recording.to_controller
        self.airtime = await street.measured()
        self.tell(
            f"That opening took {self.airtime.round_trips} round trips and "
            f"{self.airtime.application_bytes} bytes on the air to the lock's decision."
        )
        await self.opens(self.anna, apartment)
        await self.locks(self.anna, apartment)
        await self.practice()

    async def practice(self) -> None:
        """A first opening at the practice lock: too early first, for the sake of the lock's no."""
        lock = next(door for door in self.bjorn.engine.state.doors.values() if door.kind is DoorKind.PRACTICE)
        refused = await self.bjorn.engine.ask_too_early(lock.id)
        await self.bjorn.engine.settled()
        expect((refused.state, refused.reason) == (OpeningState.REFUSED, "not_yet_valid"), f"was {refused}")
        self.tell(f"Björn practises at {named(lock)}: too early, and the lock says {refused.reason}.")
        await self.opens(self.bjorn, lock)
        await self.locks(self.bjorn, lock)

    async def attacks(self) -> None:
        """A door outside the right, with the app and with a modified phone; recorded bytes again."""
        _gate, other = self.first_visit(self.fatima)
        opening = await self.anna.engine.open_door(other.id)
        expect(opening.state is OpeningState.REFUSED, f"the app said {opening.state} to a foreign door")
        self.tell(f"Anna's app at {named(other)}, outside her right: {opening.reason}; nothing is sent.")
        anna, fatima = read_out(self.anna), read_out(self.fatima)
        _gate, own = self.first_visit(self.anna)
        right = anna.rights_for(anna.doors[own.id].binding)[0]
        target = fatima.locks[fatima.doors[other.id].binding]
        decision = await self.modified.present(target, right, anna.identity.private_key)
        slug = getattr(reason(decision.reason), "slug", "?") if decision else "no answer"
        expect(slug == "wrong_binding", f"the lock answered {slug}")
        self.tell(f"A modified phone presents Anna's key for her own door there: the lock refuses, {slug}.")
        await self.replay()
        await self.opens(self.fatima, other)
        await self.locks(self.fatima, other)

    async def replay(self) -> None:
        """The bytes of Anna's own opening, from the host's side of HCI, sent again by a raw central."""
        gate, _apartment = self.first_visit(self.anna)
        lock = self.lock_at(gate)
        before = await lock.runs()
        content = read_out(self.anna)
        await self.modified.replay(content.locks[content.doors[gate.id].binding], self._recorded)
        expect(await lock.runs() == before, "recorded bytes moved a bolt")
        self.tell(
            f"{len(self._recorded)} recorded HCI packets of Anna's opening are sent again: nothing opens."
        )

    async def lost_answer(self) -> None:
        """The link dies between request and decision; the request is asked again and acts once."""
        _gate, apartment = self.first_visit(self.anna)
        lock = self.lock_at(apartment)
        before = await lock.runs()
        await lock.cut_answer()
        await self.opens(self.anna, apartment)
        cut = await self.bench.street.do("lift_cut")
        turned = (await lock.runs())[len(before) :].count(Order.UNLOCK.value)
        expect(cut == 1, "the link was not cut")
        expect(turned == 1, f"the motor turned {turned} times")
        self.tell(
            "The link was cut before the answer; asked again with the same number, the motor turned once."
        )
        await lock.turn_knob(Bolt.LOCKED)
        expect(await lock.bolt() is Bolt.LOCKED, "the knob did not win")
        self.tell("The resident turns the knob and locks; the lock gives way to the hand, as always.")

    # -- evening --------------------------------------------------------------------------------------------

    async def evening(self) -> None:
        """The bench's clock is set ahead; Anna's keys have run out, and the lock knows by itself."""
        self.bench.clock.advance(DAY_SECONDS)
        await self.bench.street.do("advance", seconds=DAY_SECONDS)
        self.tell("The bench's clock was set ahead. Still no server, still no coverage.")
        _gate, apartment = self.first_visit(self.anna)
        opening = await self.anna.engine.open_door(apartment.id)
        expect((opening.state, opening.reason) == (OpeningState.REFUSED, "expired"), f"was {opening}")
        self.tell(f"Anna at {named(apartment)}, shift over: refused by the lock, {opening.reason}.")

    async def homecoming(self) -> None:
        """Logs go up; whoever watches the live page sees them arrive."""
        await asyncio.to_thread(self.bench.server.start, self.bench.clock.shift)
        self.tell(f"The server answers again on {self.bench.server.url}")
        async with LivePage(self.bench.server.url, self.bench.sign_in("jouren"), self.bench.clock) as page:
            for phone in (self.anna, self.fatima):
                waiting = phone.engine.state.sync.waiting_logs
                await self.hands_in(phone)
                self.tell(f"{phone.person}'s phone handed in {waiting} sealed batches of lock log.")
            await until(lambda: len(page.messages) > 1, "the live page showed no passage")
            self.tell(f"The live page showed them without being reloaded ({len(page.messages)} messages).")

    async def receipts(self) -> None:
        """Björn syncs, gets bulletins with receipts, and his ordinary openings deliver them."""
        gate, apartment = self.first_visit(self.anna)
        binding = read_out(self.bjorn).doors[apartment.id].binding
        held = read_out(self.bjorn).locks[binding].bulletin_seq
        await until_async(
            lambda: self._has_newer_bulletin(self.bjorn, binding, held), "no bulletin with a receipt came"
        )
        self.tell("Björn's phone fetched bulletins; they hold the server's receipts for these locks.")
        for door in (gate, apartment):
            await self.opens(self.bjorn, self.bjorn.engine.state.doors[door.id])
        await self.locks(self.bjorn, self.bjorn.engine.state.doors[apartment.id])
        acked = sum([await self.lock_at(door).receipted() for door in (gate, apartment)])
        expect(acked > 0, "the locks took no receipt")
        self.tell(f"The two locks may now forget {acked} entries that the server holds.")
        await self.hands_in(self.bjorn)

    async def _has_newer_bulletin(self, phone: StaffPhone, binding: bytes, held: int) -> bool:
        await self.hands_in(phone)
        return read_out(phone).locks[binding].bulletin_seq > held

    def write_counts(self, path: Path) -> None:
        """Write what was counted on the radio, for the checker."""
        counts = {
            "round_trips": self.airtime.round_trips,
            "application_bytes": self.airtime.application_bytes,
        }
        path.write_text(json.dumps(counts) + "\n")


def _has_lock(alarm_code: str) -> bool:
    apartments = (apartment for house in layout.houses() for apartment in house.apartments)
    return next(one.has_lock for one in apartments if one.alarm_code == alarm_code)
