"""The command line: a lock made, bound, shown and run, and plain words when it cannot be."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bumble.controller import Controller
from bumble.core import UUID
from bumble.device import Advertisement, Device
from bumble.hci import Address as hci_address  # noqa: N813 - reads as what it makes
from bumble.link import LocalLink
from bumble.transport.tcp_server import open_tcp_server_transport_with_socket

from lockagent.__main__ import main
from lockagent.commands import from_text, to_text
from protocol import gatt, identity, label
from tests.lockagent.world import Issuer, Place


def run(folder: Path, *arguments: str) -> int:
    return main(["--folder", str(folder), "--rtc", "kept", *arguments])


@pytest.fixture
def lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, Place]:
    folder = tmp_path / "lock"
    assert run(folder, "init") == 0
    document = capsys.readouterr().out.strip()
    return folder, Place(Issuer(), identity.verify(from_text(document)))


def test_init_prints_the_identity_and_keeps_the_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "lock"
    assert run(folder, "init") == 0
    said = capsys.readouterr().out
    document = identity.verify(from_text(said))
    blob = (folder / "identity").read_bytes()
    for at in range(4, 100, 32):
        assert blob[at : at + 32] not in from_text(said)
    assert document.lock_id.hex() not in blob.hex()
    for name in ("identity", "state", "log"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_init_does_not_make_a_lock_over_another(
    lock: tuple[Path, Place], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (lock[0] / "identity").read_bytes()
    assert run(lock[0], "init") == 1
    assert "already" in capsys.readouterr().err
    assert (lock[0] / "identity").read_bytes() == before


@pytest.mark.parametrize("form", ["text", "bytes"])
def test_commission_from_a_file_then_show(
    lock: tuple[Path, Place], tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    folder, place = lock
    package = tmp_path / "package"
    package.write_bytes(
        place.commission() if form == "bytes" else to_text(place.commission()).encode() + b"\n"
    )
    assert run(folder, "commission", str(package)) == 0
    assert "bound to" in capsys.readouterr().out
    assert run(folder, "show") == 0
    shown = capsys.readouterr().out
    assert place.binding.hex() in shown
    assert "clock      certain" in shown
    assert "1 entries" in shown


def test_commission_from_standard_input(lock: tuple[Path, Place]) -> None:
    folder, place = lock
    command = [sys.executable, "-m", "lockagent", "--folder", str(folder), "commission"]
    done = subprocess.run(  # noqa: S603 - our own module
        command, input=to_text(place.commission()).encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_refusals_are_one_plain_sentence(
    lock: tuple[Path, Place], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, place = lock
    package = tmp_path / "package"
    package.write_bytes(place.commission(lock_id=b"otherone"))
    cases = [
        ((tmp_path / "nowhere", "show"), "run init first"),
        ((folder, "run", "--transport", "tcp-client:127.0.0.1:1"), "Connect call failed"),
        ((folder, "commission", str(package)), "made for another lock"),
        ((folder, "commission", str(tmp_path / "missing")), "No such file"),
        ((folder, "commission", str(folder / "identity")), "not"),
    ]
    for (where, *arguments), words in cases:
        assert run(where, *arguments) == 1
        said = capsys.readouterr().err
        assert words in said
        assert "Traceback" not in said


def test_a_damaged_key_file_is_said_plainly(
    lock: tuple[Path, Place], capsys: pytest.CaptureFixture[str]
) -> None:
    path = lock[0] / "identity"
    blob = bytearray(path.read_bytes())
    blob[40] ^= 1
    path.write_bytes(blob)
    assert run(lock[0], "show") == 1
    assert "key file is damaged" in capsys.readouterr().err


def test_one_folder_one_lock_at_a_time(lock: tuple[Path, Place], capsys: pytest.CaptureFixture[str]) -> None:
    from lockagent.lockfolder import open_folder

    held = open_folder(lock[0])
    assert run(lock[0], "show") == 1
    assert "another lock agent" in capsys.readouterr().err
    held.close()
    assert run(lock[0], "show") == 0


def test_a_folder_that_cannot_be_written_is_said_plainly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run(tmp_path / "file" / "lock", "init") == 1
    assert "Not a directory" in capsys.readouterr().err


def test_init_after_a_power_cut_half_way_starts_over(tmp_path: Path) -> None:
    folder = tmp_path / "lock"
    assert run(folder, "init") == 0
    (folder / "identity").unlink()
    assert run(folder, "init") == 0


async def test_a_lock_killed_at_any_moment_comes_back(tmp_path: Path) -> None:
    """`kill -9` of the real process on a real disk: the store opens again and counts its boots."""
    folder = tmp_path / "lock"
    assert run(folder, "init") == 0
    environment = dict(os.environ, PYTHONPATH=str(Path.cwd()))
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.lockagent.churn",
            str(folder),
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        assert process.stdout is not None
        said = [int(await process.stdout.readline()) for _ in range(5)]
        process.kill()
        rest = (await process.stdout.read()).split()
        await process.wait()
        acknowledged = int(rest[-1]) if rest and rest[-1].isdigit() else said[-1]
        from lockagent.lockfolder import open_folder

        held = open_folder(folder)
        boot = held.store.boot()
        held.close()
        assert boot.state.damage.name == "NONE"
        assert boot.records[-1].seq >= acknowledged


async def test_run_is_on_the_air_over_a_transport_until_it_is_told_to_stop(
    lock: tuple[Path, Place], tmp_path: Path
) -> None:
    """The lock as a process of its own, its controller behind TCP; a scanner on that air sees its advert."""
    folder, place = lock
    package = tmp_path / "package"
    package.write_bytes(place.commission())
    assert await asyncio.to_thread(run, folder, "commission", str(package)) == 0
    async with heard(folder, b"on the air") as (process, seen):
        async with asyncio.timeout(30):
            await seen.wait()
        process.terminate()
        async with asyncio.timeout(30):
            assert await process.wait() == 0


async def test_a_lock_without_a_door_runs_in_silence_until_its_button_is_held(
    lock: tuple[Path, Place], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, place = lock
    async with heard(folder, b"hold its button") as (process, seen):
        assert not seen.is_set()
        process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(30):
            await seen.wait()
        process.terminate()
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    assert run(folder, "label") == 0
    read = label.parse(capsys.readouterr().out.splitlines()[-1])
    assert read.lock_id == place.lock.lock_id


@asynccontextmanager
async def heard(folder: Path, says: bytes) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.Event]]:
    """The lock's process on an air of its own, and whether a scanner hears one of our locks there."""
    air, seen = LocalLink(), asyncio.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        async with await open_tcp_server_transport_with_socket(listening) as hci:
            Controller("lock", host_source=hci.source, host_sink=hci.sink, link=air)
            port = listening.getsockname()[1]
            process = await started(folder, f"tcp-client:127.0.0.1:{port}", says)
            phone = Controller("phone", link=air)
            device = Device.with_hci("phone", hci_address("F0:F1:F2:F3:F4:F5"), phone, phone)
            device.on("advertisement", lambda advert: note(advert, seen))
            await device.power_on()
            await device.start_scanning()
            yield process, seen
            await device.power_off()


async def test_a_lock_whose_radio_is_lost_ends_and_says_so(lock: tuple[Path, Place], tmp_path: Path) -> None:
    """Whatever started it starts it again; a lock that stays without a radio would be dead and look alive."""
    folder, place = lock
    package = tmp_path / "package"
    package.write_bytes(place.commission())
    assert await asyncio.to_thread(run, folder, "commission", str(package)) == 0
    air = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulation.radio", stdout=asyncio.subprocess.PIPE
    )
    assert air.stdout is not None
    transport = (await air.stdout.readline()).decode().split()[-1]
    process = await started(folder, transport, stderr=asyncio.subprocess.PIPE)
    air.kill()
    await air.wait()
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    assert process.returncode == 1
    assert f"lockagent: the radio at {transport} is gone; start the lock again" in said.decode().splitlines()


def note(advert: Advertisement, seen: asyncio.Event) -> None:
    if bytes(UUID(gatt.SERVICE_UUID)) in bytes(advert.data):
        seen.set()


async def started(
    folder: Path, transport: str, says: bytes = b"on the air", *, stderr: int | None = None
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lockagent",
        "--folder",
        str(folder),
        "run",
        "--transport",
        transport,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env=dict(os.environ, PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert says in await process.stdout.readline()
    return process


@pytest.mark.parametrize(
    "transport", ["nonsense:1", "tcp-client:127.0.0.1:1", "serial:/dev/none", "hci-socket:x"]
)
def test_a_radio_that_cannot_be_reached_is_one_plain_sentence(
    lock: tuple[Path, Place], tmp_path: Path, capsys: pytest.CaptureFixture[str], transport: str
) -> None:
    folder, place = lock
    package = tmp_path / "package"
    package.write_bytes(place.commission())
    assert run(folder, "commission", str(package)) == 0
    assert run(folder, "run", "--transport", transport) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"lockagent: the radio cannot be reached by {transport}: ")
