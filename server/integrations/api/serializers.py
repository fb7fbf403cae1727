"""JSON of the import."""

from __future__ import annotations

from typing import Any

from django.utils.translation import override
from rest_framework import serializers

from server.integrations.domain.columns import Trouble
from server.integrations.domain.csvreading import MOST_ROWS


class ImportRequest(serializers.Serializer[Any]):
    """Rows with the columns of their kind, as in the CSV template."""

    rows = serializers.ListField(
        child=serializers.DictField(child=serializers.JSONField(allow_null=True)),
        min_length=1,
        max_length=MOST_ROWS,
    )
    dry_run = serializers.BooleanField(default=False, help_text="Say what would happen and write nothing.")
    good_rows_only = serializers.BooleanField(
        default=False,
        help_text="Import the good rows although others are bad; otherwise one refuses all.",
    )


class TroubleSerializer(serializers.Serializer[Any]):
    """What is wrong with one value, and how to mend it; rows are counted from 1."""

    row = serializers.IntegerField()
    external_id = serializers.CharField()
    column = serializers.CharField()
    what_sv = serializers.CharField()
    what_en = serializers.CharField()
    mend_sv = serializers.CharField()
    mend_en = serializers.CharField()


class ImportResponse(serializers.Serializer[Any]):
    """What the import did, or would do."""

    import_id = serializers.IntegerField(allow_null=True)
    dry_run = serializers.BooleanField()
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    problems = TroubleSerializer(many=True)


def trouble_as_dict(trouble: Trouble) -> dict[str, Any]:
    """Return a trouble in both languages."""
    said: dict[str, Any] = {
        "row": trouble.row,
        "external_id": trouble.external_id,
        "column": trouble.column,
    }
    for language in ("sv", "en"):
        with override(language):
            said[f"what_{language}"], said[f"mend_{language}"] = str(trouble.what), str(trouble.mend)
    return said
