"""Words in the person's language: a gettext catalogue with the screens' words and every reason's.

A language is one file, `mobile/locale/<code>/LC_MESSAGES/mobile.po`, compiled beside itself by `make setup`;
a third one needs no code.
"""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent.parent / "locale"
DEFAULT_LANGUAGE = "sv"


@dataclass(frozen=True, slots=True)
class ReasonText:
    """One reason in plain words: what happened and what to do next."""

    title: str
    happened: str
    next: str


def languages(locale: Path = LOCALE) -> list[str]:
    """Codes of the languages there are, Swedish first."""
    found = sorted(path.parent.parent.name for path in locale.glob("*/LC_MESSAGES/mobile.mo"))
    return sorted(found, key=lambda code: code != DEFAULT_LANGUAGE)


@cache
def _catalogue(locale: Path, language: str) -> gettext.NullTranslations:
    words = gettext.translation("mobile", locale, languages=[language])
    if language != DEFAULT_LANGUAGE:
        # A language that lags behind says its newest words in Swedish rather than as bare keys.
        words.add_fallback(_catalogue(locale, DEFAULT_LANGUAGE))
    return words


def language_name(language: str, locale: Path = LOCALE) -> str:
    """What a language calls itself."""
    return _catalogue(locale, language).gettext("language.name")


# The server's words for these mean something else at a door.
_SERVERS_OWN = {"not_found": "server_error", "not_permitted": "server_error"}


def slug_from_server(slug: str) -> str:
    """The slug whose words fit an answer of the server rather than of a lock."""
    return _SERVERS_OWN.get(slug, slug)


class Texts:
    """All words of one language. `zone` is the phone's own time zone when None."""

    def __init__(
        self, language: str = DEFAULT_LANGUAGE, zone: tzinfo | None = None, locale: Path = LOCALE
    ) -> None:
        self.language = language if language in languages(locale) else DEFAULT_LANGUAGE
        self._zone = zone
        self._words = _catalogue(locale, self.language)

    def tr(self, key: str, **values: str | int) -> str:
        """The words for a key such as 'pin.title', with its {values} filled in."""
        words = self._words.gettext(key)
        return words.format(**values) if values else words

    def count(self, key: str, number: int) -> str:
        """The words for so many of something."""
        return self._words.ngettext(key, key, number).format(n=number)

    def reason(self, slug: str) -> ReasonText:
        """Plain words for a refusal or an error; a slug of a later version is said to be unexpected."""
        known = slug if self.explains(slug) else "unexpected"
        return ReasonText(*(self.tr(f"reason.{known}.{part}") for part in ("title", "happened", "next")))

    def explains(self, slug: str) -> bool:
        """Whether this slug has words of its own."""
        key = f"reason.{slug}.title"
        return self.tr(key) != key

    def clock(self, at: int) -> str:
        """Hours and minutes in local time, '08:15'."""
        return self._local(at).strftime("%H:%M")

    def day(self, at: int) -> str:
        """Weekday, day and month: 'lördag 21 november'."""
        local = self._local(at)
        weekday = self.tr("date.weekdays").split()[local.weekday()]
        month = self.tr("date.months").split()[local.month - 1]
        return self.tr("date.day", weekday=weekday, day=local.day, month=month)

    def day_number(self, at: int) -> int:
        """A number that is the same for all moments of one local day and one more the day after."""
        return self._local(at).toordinal()

    def duration(self, seconds: int) -> str:
        """How long to wait, in words."""
        return (
            self.count("time.seconds", seconds)
            if seconds < 90
            else self.count("time.minutes", -(-seconds // 60))
        )

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at, UTC).astimezone(self._zone)
