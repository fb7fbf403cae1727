"""All targets by name."""

from __future__ import annotations

from fuzz.lockstory import LOCK_STORY
from fuzz.papers import PAPERS
from fuzz.parsers import PARSERS
from fuzz.phonestory import PHONE_STORY
from fuzz.target import Target

TARGETS: dict[str, Target] = {target.name: target for target in (*PARSERS, *PAPERS, PHONE_STORY, LOCK_STORY)}
