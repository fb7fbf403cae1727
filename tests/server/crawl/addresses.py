"""Which addresses there are, from the URL resolver, and what to put in place of their arguments.

An address with arguments nobody has taught the crawl to fill fails the test that walks them, and says how.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from server.locks.admin.verbs import MOVE, VERBS

Keys = Mapping[str, list[int]]
"""Primary keys of one side's rows, by model label."""
Fill = Callable[[Keys], list[dict[str, Any]]]

_ROUTE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


class UntaughtError(AssertionError):
    """An address has arguments that the crawl cannot fill."""


@dataclass(frozen=True)
class Address:
    """One address as the resolver knows it."""

    route: str
    name: str
    arguments: tuple[str, ...]

    @property
    def about(self) -> str:
        """The model under whose admin page the address stands, or nothing."""
        parts = self.route.split("/")
        label = ".".join(parts[1:3])
        return label if parts[0] == "admin" and label in MODELS else ""

    def path(self, values: Mapping[str, Any]) -> str:
        """Return the path with the arguments filled in."""
        if not set(self.arguments) <= set(values):
            raise UntaughtError(f"TAUGHT[{self.name!r}] fills {list(values)} of {self.arguments}")
        text = _ROUTE.sub(lambda hit: str(values[hit[1] or hit[2]]), self.route)
        return "/" + text.replace("^", "").replace("$", "").replace("\\Z", "")

    @property
    def stands_for_a_row(self) -> bool:
        """Whether an argument is a row's number."""
        words = not self.arguments or self.arguments[0] in WORDS
        return not words and bool(self.about or self.name in TAUGHT)

    def paths(self, keys: Keys) -> list[str]:
        """Return every path with rows of one side; raises `UntaughtError`."""
        return [self.path(values) for values in self._values(keys)]

    def _values(self, keys: Keys) -> list[dict[str, Any]]:
        if not self.arguments:
            return [{}]
        if self.name in TAUGHT:
            return TAUGHT[self.name](keys)
        if self.arguments[0] in WORDS:
            return [{name: WORDS.get(name, "x") for name in self.arguments}]
        if self.about and len(self.arguments) == 1:
            [name] = self.arguments
            return [{name: pk} for pk in keys.get(self.about, [])]
        raise UntaughtError(
            f"The crawl cannot fill {self.arguments} of /{self.route} (name {self.name!r}). "
            "Say how in TAUGHT, tests/server/crawl/addresses.py."
        )


MODELS = {model._meta.label_lower: model for model in admin.site._registry}

WORDS: Mapping[str, Any] = {
    # arguments of Django's and allauth's own pages, which show no rows of ours
    "url": "nowhere/",
    "app_label": "care",
    "content_type_id": 1,
    "key": "x",
    "uidb36": "x",
    "provider_id": "x",
    # what an import brings; any will do, a browser is refused
    "kind": "staff",
}


def rows(label: str, **more: Any) -> Fill:
    """Fill `pk` with each row of a model."""
    return lambda keys: [{"pk": pk, **more} for pk in keys.get(label, [])]


def named(name: str, label: str) -> Fill:
    """Fill one argument with each row of a model."""
    return lambda keys: [{name: pk} for pk in keys.get(label, [])]


REVOCABLE = {
    "token": "access.token",
    "bearer": "people.bearer",
    "phone": "people.phone",
    "staff": "people.staffmember",
    "provider": "people.careprovider",
}
ORDERS = ("pause", "end", "resume", "revive", "keys-out", "keys-back")

TAUGHT: Mapping[str, Fill] = {
    "revoke": lambda keys: [
        {"target": target, "pk": pk} for target, label in REVOCABLE.items() for pk in keys.get(label, [])
    ],
    "care_client_do": lambda keys: [
        {"pk": pk, "order": order} for pk in keys.get("care.client", []) for order in ORDERS
    ],
    "care_consent_missing_owner": rows("places.propertyowner"),
    "care_consent_document": rows("care.consentdocument"),
    "locks_lock_do": lambda keys: [
        {"pk": pk, "verb": verb} for pk in keys.get("locks.lock", []) for verb in (MOVE.slug, *VERBS)
    ],
    "api-order-done": named("order_id", "locks.workorder"),
    "api-firmware-image": named("release_id", "locks.firmwarerelease"),
    "passages_proof": rows("places.door"),
    "passages_proof_export": rows("places.door"),
    "mfa_remove_webauthn": lambda _keys: [{"pk": 1}],
    "mfa_edit_webauthn": lambda _keys: [{"pk": 1}],
    **{
        f"api-alarm{what}": named("alarm_id", "alarms.alarm")
        for what in ("", "-end", "-take", "-decline", "-hand-over")
    },
}


def addresses() -> list[Address]:
    """Return every HTTP address of the server."""
    return list(_walk(get_resolver(), ""))


def _walk(resolver: URLResolver, before: str) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield Address(
                route, pattern.name or "", tuple(hit[1] or hit[2] for hit in _ROUTE.finditer(route))
            )


def own_models() -> list[Any]:
    """Return every model of the server, whatever admin page it has."""
    return [model for model in apps.get_models() if model.__module__.startswith("server.")]
