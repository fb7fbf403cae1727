"""What is delivered for a Raspberry Pi says what the program understands, and pins what the tests ran with."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lockagent.__main__ import _parser

PI = Path("deploy/pi")
UNITS = sorted(PI.glob("*.service"))


def commands(unit: Path) -> list[list[str]]:
    """Every command line of a unit that starts our program, without the interpreter."""
    lines = re.findall(r"^Exec\w+=-?\+?(\S*python .*)$", unit.read_text(), re.MULTILINE)
    return [line.split()[1:] for line in lines]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_units_call_the_program_as_it_wants_to_be_called(unit: Path) -> None:
    found = commands(unit)
    assert found
    for words in found:
        if words[:2] == ["-m", "lockagent.firmware.loader"]:
            split = words.index("--")
            words = ["-m", "lockagent", *words[2:split], "run", *words[split + 1 :]]
        assert words[:2] == ["-m", "lockagent"]
        assert _parser().parse_args(words[2:]).command in ("init", "run", "release")


def test_the_lock_runs_as_nobody_in_particular_and_may_do_little() -> None:
    text = (PI / "nyckelfri-lock.service").read_text()
    for line in (
        "User=nyckelfri",
        "CapabilityBoundingSet=CAP_NET_ADMIN",
        "RestrictAddressFamilies=AF_BLUETOOTH AF_UNIX",
        "DevicePolicy=closed",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "Restart=always",
    ):
        assert line in text.splitlines()


def test_the_image_script_is_whole() -> None:
    script = PI / "build-image.sh"
    subprocess.run(["bash", "-n", script], check=True)
    said = subprocess.run(["bash", script], check=False, capture_output=True, text=True)
    assert (said.returncode, said.stderr.splitlines()[0]) == (
        1,
        "build-image: usage: build-image.sh BASE.img SHA256 OUT.img [BOARD.toml]",
    )


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


def test_the_image_gets_the_versions_that_the_tests_run_with() -> None:
    image, tested = pins(PI / "requirements.lock"), pins(Path("requirements.lock"))
    assert {name for name in image if name not in tested} == {"lgpio"}
    assert all(tested.get(name, version) == version for name, version in image.items())
