"""What guessing a PIN costs somebody who has copied a vault, and what the vault costs the person at the door.

Guesses are timed in processor time of one core, since that is what a guesser buys; whoever has a hundred
cores divides the hours by a hundred. They count only for a vault without a key in the phone's hardware: with
one, a copy cannot be guessed at all away from its phone.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

from bench.output import emit
from bench.results import Figure, median_seconds
from mobile.engine.errors import WeakPinError, WrongPinError
from mobile.engine.storage import vaultfile
from mobile.engine.storage.attempts import DELAYS, MAX_FAILURES
from mobile.engine.storage.pin import check_new_pin
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults

PIN = "493817"
ROUNDS = 7
A_DAYS_VAULT, A_NIGHT_PATROLS_VAULT = 64 * 1024, 2 * 1024 * 1024
SPACES = {
    "six_digits": 10**6,
    "eight_digits": 10**8,
    "passphrase": 7776**4,
}
"""A passphrase: four words that dice drew from a list of 7 776; one that a person thinks up is weaker."""
HOURS_A_YEAR = 24 * 365.25


def core_seconds(work: Callable[[], object], *, rounds: int) -> float:
    """Return the median processor time of ``work``, after one call that is not counted."""
    work()
    times = []
    for _ in range(rounds):
        start = process_time()
        work()
        times.append(process_time() - start)
    return median(times)


def guessing(folder: Path) -> list[Figure]:
    """A wrong guess against a copied file, as a guesser would write it: no counting, no waiting, no disk."""
    asyncio.run(Vaults(folder).create("b1", PIN, bytes(A_DAYS_VAULT)))
    shut = vaultfile.parse((folder / "b1.vault").read_bytes())

    def guess() -> None:
        keys = vaultfile.derive(b"000000", shut.salt, shut.cost)
        try:
            shut.open(keys)
        except WrongPinError:
            return
        raise AssertionError("the wrong PIN opened it")

    seconds = core_seconds(guess, rounds=ROUNDS)
    price = f"Argon2id {Cost().memory_kib // 1024} MiB, {Cost().passes} passes"
    figures = [Figure("vault.guess_seconds", seconds, "s", detail=f"processor time of one core; {price}")]
    for name, space in SPACES.items():
        hours = space * seconds / 3600
        text = f"{space:.3g} guesses on one core"
        if hours > HOURS_A_YEAR:
            text += f" = {hours / HOURS_A_YEAR:.3g} years"
        figures.append(Figure(f"vault.hours_{name}", hours, "h", detail=f"{text}; the mean is half"))
    refused = sum(_refused(f"{number:06}") for number in range(10**6))
    figures.append(
        Figure("vault.refused_six_digits", refused, "PINs", detail="of a million are too easy to be chosen")
    )
    waits = sum(DELAYS) / 3600
    figures.append(
        Figure("vault.screen_hours", waits, "h", detail=f"{MAX_FAILURES} guesses at the screen, then wiped")
    )
    return figures


def _refused(pin: str) -> bool:
    try:
        check_new_pin(pin)
    except WeakPinError:
        return True
    return False


def living(folder: Path, name: str, size: int) -> list[Figure]:
    """What the bearer waits for: opening, and one durable save (two files, four syncs to disk)."""
    vaults, loop, content = Vaults(folder), asyncio.new_event_loop(), os.urandom(size)
    loop.run_until_complete(vaults.create(name, PIN, content)).close()
    opened = median_seconds(
        lambda: loop.run_until_complete(vaults.unlock(name, PIN)).close(),
        rounds=ROUNDS,
    )
    vault = loop.run_until_complete(vaults.unlock(name, PIN))
    saved = median_seconds(lambda: loop.run_until_complete(vault.save(content)), rounds=ROUNDS)
    vault.close()
    loop.close()
    kib = f"{size // 1024} KiB of rights and doors"
    return [
        Figure(f"vault.unlock_{name}_s", opened, "s", aim="< 1 s", detail=kib),
        Figure(f"vault.save_{name}_s", saved, "s", aim="< 0.1 s", detail=kib),
    ]


def main() -> None:
    """Measure against folders of our own."""
    with tempfile.TemporaryDirectory() as folder:
        emit(guessing(Path(folder) / "copied"))
        emit(living(Path(folder) / "carried", "day", A_DAYS_VAULT))
        emit(living(Path(folder) / "carried", "night_patrol", A_NIGHT_PATROLS_VAULT))


if __name__ == "__main__":
    main()
