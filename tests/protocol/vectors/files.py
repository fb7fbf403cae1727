"""How a vector file looks: JSON with bytes as lower-case hex, stable order, one newline at the end."""

import json
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "docs" / "vectors"


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line a type
    """``value`` as JSON can hold it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, bool | int | str) or value is None:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(one) for one in value)
    return [plain(one) for one in value]


def text(content: dict[str, Any]) -> str:
    return json.dumps(plain(content), indent=1, ensure_ascii=False) + "\n"


def path(name: str) -> Path:
    return FOLDER / f"{name}.json"


def load(name: str) -> dict[str, Any]:
    """A committed vector file."""
    content: dict[str, Any] = json.loads(path(name).read_text("utf-8"))
    return content
