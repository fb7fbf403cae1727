"""What is delivered for a Raspberry Pi says what the program understands, and pins what the tests use."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lockagent.__main__ import _parser

PI = Path("deploy/pi")
UNITS = sorted(PI.glob("*.service"))


def commands(unit: Path) -> list[tuple[str, list[str]]]:
    """Every command line of a unit that starts our program: the module and its options."""
    lines = re.findall(r"^Exec\w+=\S*python -m (\S+) (.*)$", unit.read_text(), re.MULTILINE)
    return [(module, options.split()) for module, options in lines]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_units_call_the_program_as_it_wants_to_be_called(unit: Path) -> None:
    found = commands(unit)
    assert found
    for module, words in found:
        if module == "lockagent.firmware.loader":
            split = words.index("--")
            said = _parser().parse_args([*words[:split], "run", *words[split + 1 :]])
        else:
            assert module == "lockagent"
            said = _parser().parse_args(words)
        assert said.command in ("init", "run", "release")


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
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n", script], check=True)  # noqa: S603 - our own script
    said = subprocess.run([bash, script], check=False, capture_output=True, text=True)  # noqa: S603
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
