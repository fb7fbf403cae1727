"""What the repository promises about itself: links lead somewhere, pins name no host, all is translated."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("simulation/**/*.md")])
CATALOGUES = sorted([*ROOT.glob("mobile/locale/**/*.po"), *ROOT.glob("server/**/locale/**/*.po")])
LOCKS = [ROOT / "requirements.lock", ROOT / "deploy" / "pi" / "requirements.lock"]
LINK = re.compile(r"\[(?:[^\]]|\n)*\]\(([^)\s]+)\)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the common Markdown sites make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_links_lead_to_something(document: Path) -> None:
    broken = []
    for target in LINK.findall(document.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        goal = (document.parent / path).resolve() if path else document
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            broken.append(target)
    assert broken == []


def test_every_page_is_on_the_map() -> None:
    linked = set(LINK.findall((ROOT / "docs" / "README.md").read_text()))
    assert [page.name for page in ROOT.glob("docs/*.md") if page.name not in linked] == ["README.md"]


@pytest.mark.parametrize("path", LOCKS, ids=name)
def test_the_lock_pins_hashes_and_names_no_host(path: Path) -> None:
    lock = path.read_text()
    pinned = re.split(r"^[a-z0-9._-]+==.*\\$", lock, flags=re.MULTILINE)
    assert "://" not in lock
    assert pinned[0].strip() == ""
    assert all(block.lstrip().startswith("--hash=sha256:") for block in pinned[1:])


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
def test_nothing_is_left_untranslated(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file)
    missing = [
        message.id
        for message in catalogue
        if message.id
        and (message.fuzzy or not all(message.string if message.pluralizable else [message.string]))
    ]
    assert missing == []
