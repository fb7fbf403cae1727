"""Charts and cards about passages: counted per viewer, by day, and remembered."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_scopes import scope

from server.passages import attention, charts
from server.passages.models import Passage
from server.tenancy.scoping import Viewer
from tests.server.fill import add_passages
from tests.server.world import World, make_team

DAY = timedelta(days=1)


def add(world: World, count: int, *, days_ago: int) -> None:
    before = set(Passage.objects.values_list("pk", flat=True))
    add_passages(world, count=count)
    moment = timezone.now().replace(hour=11) - days_ago * DAY
    Passage.objects.exclude(pk__in=before).update(happened_at=moment)


def test_openings_are_counted_by_day_and_older_days_remembered(world: World) -> None:
    add(world, 3, days_ago=5)
    at = timezone.now().replace(hour=12)
    first = charts.openings(at)
    assert first is not None
    assert [value for _label, value in first.bars] == [0] * 8 + [3] + [0] * 5
    add(world, 2, days_ago=5)
    add(world, 4, days_ago=1)
    second = charts.openings(at)
    assert second is not None
    assert [value for _label, value in second.bars][8:13] == [3, 0, 0, 0, 4]


def test_rule_08_what_one_viewer_counted_another_does_not_see(world: World) -> None:
    add(world, 3, days_ago=5)
    other = make_team(world.municipality, "Omsorg Söder AB", "Grupp 9").provider
    at = timezone.now().replace(hour=12)
    charts.openings(at)
    with scope(municipality=world.municipality, viewer=Viewer(provider=other.pk)):
        found = charts.openings(at)
    assert found is not None
    assert sum(value or 0 for _label, value in found.bars) == 0


def test_openings_before_a_known_revocation_have_a_card_and_a_share(world: World) -> None:
    at = timezone.now().replace(hour=12)
    assert (attention.before_known(at), charts.before_known(at)) == (None, None)
    add(world, 4, days_ago=1)
    Passage.objects.filter(pk=Passage.objects.latest("pk").pk).update(opened_before_known_revocation=True)
    card, chart = attention.before_known(at), charts.before_known(at)
    assert card is not None
    assert chart is not None
    assert card.count == 1
    assert chart.series[0][1][12] == 250
