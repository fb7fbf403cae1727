"""One municipality's server, asked page by page: what `bench.pages` starts twice and compares.

Reads a page's name a line, fetches it as often as told in process through Django's test client (middleware,
templates and database are in the time, the network is not) as a signed-in patrol user, and answers with the
times in seconds and the number of queries, as JSON.
"""

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any

import django
import time_machine

from bench.cities import NOW

WARM_UP = 3


class Desk:
    """The patrol's browser, and the work behind it."""

    def __init__(self) -> None:
        from django.test import Client  # noqa: PLC0415 - Django is set up only in `main`

        from server.people.models import User  # noqa: PLC0415
        from server.tenancy.models import Municipality  # noqa: PLC0415

        self.municipality = Municipality.objects.get()
        self.browser = Client(headers={"host": "localhost"})
        self.browser.force_login(User.objects.get(username=f"{self.municipality.slug}.jouren"))
        self.pages = self._addresses()

    def _addresses(self) -> dict[str, str]:
        from django.urls import reverse  # noqa: PLC0415

        from server.care.models import Client  # noqa: PLC0415

        clients = Client.unscoped.filter(ended_at=None, paused_at=None, door__bindings__isnull=False)
        client = clients.order_by("alarm_code")[clients.count() // 2]
        return {
            "start": reverse("admin:index"),
            "clients": reverse("admin:care_client_changelist"),
            "client": reverse("admin:care_client_change", args=[client.pk]),
            "doors": reverse("admin:places_door_changelist"),
            "locks": reverse("admin:locks_lock_changelist"),
            "passages": reverse("admin:passages_search"),
            "who_may_open": reverse("admin:who_may_open") + f"?door={client.door_id}",
            "shifts": reverse("admin:care_shift_changelist"),
            "missing_consents": reverse("admin:care_consent_missing"),
            "tokens": reverse("admin:access_token_changelist"),
            # Beside the ten: the same lists looked through.
            "client_by_code": reverse("admin:care_client_changelist") + f"?q={client.alarm_code}",
            "passages_of_a_door": reverse("admin:passages_search") + f"?code={client.alarm_code}",
            "staff": reverse("admin:people_staffmember_changelist"),
            "switches": reverse("admin:switches_providerswitch_changelist"),
        }

    def fetch(self, name: str) -> int:
        """Fetch a page; returns how many queries it took."""
        from django.db import connection  # noqa: PLC0415
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

        with CaptureQueriesContext(connection) as queries:
            answer = self.browser.get(self.pages[name])
        if answer.status_code != 200:
            raise RuntimeError(f"{self.pages[name]} answered {answer.status_code}")
        return len(queries)

    def time_page(self, name: str, samples: int) -> dict[str, Any]:
        """Fetch a page until it is warm, then `samples` times more."""
        queries = [self.fetch(name) for _ in range(WARM_UP)][-1]
        return {
            "seconds": [_timed(lambda: self.browser.get(self.pages[name])) for _ in range(samples)],
            "queries": queries,
        }

    def time_issuing(self, samples: int) -> dict[str, Any]:
        """Issue anew for people on shift, one at a time, as their phones' first sync does; seconds a token.

        Every time is taken back, so that the municipality stays as it is.
        """
        from django.utils import timezone  # noqa: PLC0415

        from server.care.models import Shift  # noqa: PLC0415
        from server.people.models import Bearer  # noqa: PLC0415

        now = timezone.now()
        on_shift = Shift.unscoped.filter(starts_at__lte=now, ends_at__gt=now).values("staff")
        bearers = list(
            Bearer.unscoped.filter(staff__in=on_shift, revoked_at=None, phone__revoked_at=None)
            .select_related("staff", "phone", "municipality")
            .order_by("pk")
        )
        step = max(1, len(bearers) // samples)
        chosen = [bearers[(number * step) % len(bearers)] for number in range(samples + WARM_UP)]
        seconds, tokens = [], []
        for bearer in chosen:
            with _taken_back():
                spent, signed = self._issue(bearer)
            if signed:
                seconds.append(spent / signed)
                tokens.append(signed)
        return {"seconds": seconds[WARM_UP:], "queries": 0, "tokens": statistics.median(tokens)}

    def _issue(self, bearer: Any) -> tuple[float, int]:
        from django.utils import timezone  # noqa: PLC0415
        from django_scopes import scope  # noqa: PLC0415

        from server.access.domain.issue import issue_for_bearer  # noqa: PLC0415
        from server.access.models import Token  # noqa: PLC0415

        with scope(municipality=self.municipality):
            Token.objects.filter(bearer=bearer).delete()
            begun = perf_counter()
            signed = issue_for_bearer(bearer=bearer, at=timezone.now()).signed
            return perf_counter() - begun, signed


@contextmanager
def _taken_back() -> Iterator[None]:
    from django.db import transaction  # noqa: PLC0415

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _timed(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def main() -> None:
    """Answer one line for each line."""
    django.setup()
    with time_machine.travel(NOW, tick=True):
        desk = Desk()
        print(json.dumps(list(desk.pages)[:10]), flush=True)
        for line in sys.stdin:
            name, samples = line.split()
            work = desk.time_issuing if name == "issuing" else partial(desk.time_page, name)
            told = work(int(samples))
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
