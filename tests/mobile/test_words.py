"""Plain words for everything that can go wrong, in every language, and every key of the screens in each."""

from __future__ import annotations

import ast
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from mobile.engine import errors
from mobile.engine.state import OpeningState
from mobile.viewmodels.texts import LOCALE, Texts, language_name, languages
from protocol.reasons import Reason
from server.problems import TEXTS as SERVER_CODES

MOBILE = LOCALE.parent
# Codes of the HTTP API that only administrators can meet.
NOT_FOR_PHONES = {
    "alarm_code_unknown", "alarm_time_unlikely", "api_key_unknown", "ceremony_closed", "ceremony_empty",
    "ceremony_foreign", "ceremony_open", "ceremony_unreadable", "ceremony_unsigned", "client_already_so",
    "client_not_so", "commissioning_not_pending", "consent_ended", "deviation_closed",
    "deviation_without_door", "document_too_large", "document_unreadable", "documents_too_many",
    "external_id_taken", "firmware_not_newer", "firmware_withdrawn", "import_clash", "key_last",
    "key_unknown_here", "keys_already_so", "keys_still_needed", "lock_not_confirmed", "manifest_refused",
    "manifest_too_large", "method_not_allowed", "not_acceptable", "not_on_duty", "own_review",
    "reviewed_already", "right_foreign", "right_too_long", "roots_invalid", "rows_refused", "scope_missing",
    "signature_invalid", "system_unknown", "unsupported_media_type", "withdrawal_day_unfit",
    "withdrawal_missing",
}  # fmt: skip


def _engine_slugs() -> set[str]:
    """Slugs that the phone's own code raises or reports, read from its source."""
    found = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    for path in (MOBILE / "engine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith(("Error", "Verdict")):
                texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                found |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"[a-z_]+", text)}
    return found - {"disconnected"} | {
        f"weak_pin_{why}" for why in ("short", "long", "repeat", "sequence", "common")
    }


def _used_keys() -> set[str]:
    """Keys of the catalogue named in code and kv, and those built from enumerations."""
    keys: set[str] = set()
    for path in [*MOBILE.rglob("viewmodels/*.py"), *MOBILE.rglob("ui/*.py"), *MOBILE.rglob("ui/kv/*.kv")]:
        text = path.read_text(encoding="utf-8")
        keys |= set(re.findall(r"\b(?:tr|count)\([\"']([a-z_.]+)[\"']", text))
        keys |= {
            key for key in re.findall(r"[\"']([a-z]+\.[a-z_]+)[\"']", text) if key.split(".")[0] in SECTIONS
        }
    return keys | {f"opening.{state.value}" for state in OpeningState if state is not OpeningState.IDLE}


def _catalogue(language: str) -> set[str]:
    text = (LOCALE / language / "LC_MESSAGES" / "mobile.po").read_text(encoding="utf-8")
    return set(re.findall(r'^msgid "([^"]+)"', text, re.M))


def _explained(language: str) -> set[str]:
    """Slugs with words of their own in one language."""
    return {key.split(".")[1] for key in _catalogue(language) if key.startswith("reason.")}


SECTIONS = {key.split(".")[0] for key in _catalogue("sv")}


def test_swedish_comes_first() -> None:
    assert languages() == ["sv", "en"]


@pytest.mark.parametrize("language", languages())
def test_every_reason_of_the_protocol_has_words_and_a_next_step(language: str) -> None:
    for reason in Reason:
        assert Texts(language).explains(reason.slug)
        words = Texts(language).reason(reason.slug)
        assert words.title and words.happened and words.next
        assert words.happened.endswith(".") and words.next.endswith((".", "”."))


@pytest.mark.parametrize("language", languages())
def test_every_error_of_the_phone_has_words(language: str) -> None:
    assert _engine_slugs() - _explained(language) == set()


@pytest.mark.parametrize("language", languages())
def test_every_code_a_server_can_send_a_phone_has_words(language: str) -> None:
    assert set(SERVER_CODES) - NOT_FOR_PHONES - _explained(language) == set()


@pytest.mark.parametrize("language", languages())
def test_every_reason_says_what_it_is_what_happened_and_what_next(language: str) -> None:
    parts = ("title", "happened", "next")
    wanted = {f"reason.{slug}.{part}" for slug in _explained(language) for part in parts}
    assert {key for key in _catalogue(language) if key.startswith("reason.")} == wanted


@pytest.mark.parametrize("language", languages())
def test_every_key_of_the_screens_is_in_the_catalogue(language: str) -> None:
    assert _used_keys() - _catalogue(language) == {"app.lang"} & _used_keys()


def test_all_catalogues_have_the_same_keys() -> None:
    assert _catalogue("sv") == _catalogue("en")


def test_an_unknown_slug_is_unexpected_not_a_crash() -> None:
    assert Texts("sv").reason("of_a_later_version") == Texts("sv").reason("unexpected")


def test_plurals() -> None:
    assert Texts("en").count("sync.waiting", 1) == "1 log waiting"
    assert Texts("en").count("sync.waiting", 2) == "2 logs waiting"
    assert Texts("sv").count("sync.waiting", 1) == "1 logg väntar"


def test_a_third_language_is_one_file(tmp_path: Path) -> None:
    """Nynorsk, say: its catalogue alone, and the app offers it, names it and explains refusals in it."""
    for code in ("sv", "nn"):
        folder = tmp_path / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        swedish = (LOCALE / "sv" / "LC_MESSAGES" / "mobile.po").read_text(encoding="utf-8")
        words = (
            swedish if code == "sv" else swedish.replace("Svenska", "Nynorsk").replace("Inställningar", "Val")
        )
        (folder / "mobile.po").write_text(words, encoding="utf-8")
    compile_all = [sys.executable, "-m", "babel.messages.frontend", "--quiet", "compile", "--domain=mobile"]
    subprocess.run([*compile_all, f"--directory={tmp_path}"], check=True)  # noqa: S603
    texts = Texts("nn", locale=tmp_path)
    assert languages(tmp_path) == ["sv", "nn"]
    assert language_name("nn", tmp_path) == "Nynorsk"
    assert texts.tr("nav.settings") == "Val"
    assert texts.reason("revoked") == Texts("sv").reason("revoked")


def test_a_language_that_lags_behind_says_the_newest_words_in_swedish(tmp_path: Path) -> None:
    for code in ("sv", "nn"):
        folder = tmp_path / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "mobile.mo").write_bytes((LOCALE / "sv" / "LC_MESSAGES" / "mobile.mo").read_bytes())
    (tmp_path / "nn" / "LC_MESSAGES" / "mobile.mo").write_bytes(EMPTY_CATALOGUE)
    assert Texts("nn", locale=tmp_path).tr("nav.today") == "I dag"


# A compiled catalogue's header with no messages in it.
EMPTY_CATALOGUE = struct.pack("<7I", 0x950412DE, 0, 0, 28, 28, 0, 28)
