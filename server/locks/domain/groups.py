"""The small integers (grp) that stand for providers in one binding's tokens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from server.locks.models import BindingGroup
from server.locks.queries import lock_for_update


def ensure_groups(wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Return the grp of every (binding id, provider id), giving numbers from 1 to those that have none."""
    known = _known({binding for binding, _provider in wanted})
    missing = sorted(pair for pair in wanted if pair not in known)
    return known | _allocate(missing) if missing else known


@transaction.atomic
def _allocate(missing: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
    bindings = {binding.pk: binding for binding in lock_for_update({binding for binding, _ in missing})}
    known = _known(set(bindings))
    used: dict[int, int] = defaultdict(int)
    for (binding_id, _provider), grp in known.items():
        used[binding_id] = max(used[binding_id], grp)
    made = []
    for binding_id, provider_id in missing:
        if (binding_id, provider_id) in known or binding_id not in bindings:
            continue
        used[binding_id] += 1
        known[binding_id, provider_id] = used[binding_id]
        made.append(
            BindingGroup(
                municipality_id=bindings[binding_id].municipality_id,
                binding_id=binding_id,
                provider_id=provider_id,
                grp=used[binding_id],
            )
        )
    BindingGroup.unscoped.bulk_create(made)
    return known


def _known(binding_ids: set[int]) -> dict[tuple[int, int], int]:
    rows = BindingGroup.unscoped.filter(binding__in=binding_ids)
    return {(row.binding_id, row.provider_id): row.grp for row in rows}


def ended_groups(binding_ids: Collection[int]) -> dict[int, dict[int, datetime]]:
    """Return, by provider id and binding id, before when tokens are dead by the group's not-before."""
    found: dict[int, dict[int, datetime]] = defaultdict(dict)
    for row in BindingGroup.unscoped.filter(binding__in=binding_ids, not_before__isnull=False):
        if row.not_before is not None:
            found[row.provider_id][row.binding_id] = row.not_before
    return found
