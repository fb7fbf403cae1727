"""Whose a source is."""

from __future__ import annotations

from django.db.models import Q

from server.care.models import Visit
from server.integrations.models import ApiKey
from server.tenancy.base import ImportedModel


def is_others_source(model: type[ImportedModel], kind: str, source: str, *, provider: int) -> bool:
    """Return whether others' rows come from a source, or may come from it by another's key.

    Who could bring own rows under such a source would learn which identities it has elsewhere, and could take
    them before their owner does.
    """
    foreign = ApiKey.objects.filter(source=source, revoked_at__isnull=True)
    foreign = foreign.filter(~Q(provider=provider) | Q(provider__isnull=True))
    if any(kind in scopes for scopes in foreign.values_list("scopes", flat=True)):
        return True
    path = "shift__provider" if model is Visit else "provider"
    return bool(model.objects.filter(source=source).exclude(**{path: provider}).exists())
