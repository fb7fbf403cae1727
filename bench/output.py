"""How a measurement's process hands its figures to the table."""

import dataclasses
import json
from collections.abc import Iterable

from bench.results import Figure


def emit(figures: Iterable[Figure]) -> None:
    """Print one JSON object a line, which ``python -m bench`` reads."""
    for figure in figures:
        print(json.dumps(dataclasses.asdict(figure)), flush=True)
