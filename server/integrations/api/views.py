"""Bulk import over REST."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from server.config.rest.errors import ProblemSerializer
from server.integrations.api.callers import KeyView
from server.integrations.api.serializers import ImportRequest, ImportResponse, trouble_as_dict
from server.integrations.domain.importing import Sender, import_rows
from server.integrations.domain.keys import may_import
from server.integrations.models import Kind
from server.problems import Problem

MOST_TROUBLES = 1000
PROBLEMS = dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 422), ProblemSerializer)


class ImportView(KeyView):
    """Add and change rows of one kind."""

    max_body = 8 * 1024 * 1024

    @extend_schema(
        operation_id="import_rows",
        parameters=[OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(Kind.values))],
        request=ImportRequest,
        responses={200: ImportResponse, **PROBLEMS},
    )
    def post(self, request: Request, kind: str) -> Response:
        """Import up to 5 000 rows; the same rows again change nothing."""
        if kind not in Kind.values:
            raise Problem("not_found")
        if kind not in self.key.scopes or not may_import(kind, self.key.provider):
            raise Problem("scope_missing")
        body = self.valid(ImportRequest, request)
        outcome = import_rows(
            kind=kind,
            rows=list(enumerate(body["rows"], start=1)),
            sender=Sender(self.key.municipality, self.key.source, self.key.provider, key=self.key),
            at=timezone.now(),
            dry_run=body["dry_run"],
            good_rows_only=body["good_rows_only"],
        )
        said = {
            "import_id": outcome.run.pk if outcome.run else None,
            "dry_run": body["dry_run"],
            "added": outcome.added,
            "changed": outcome.changed,
            "unchanged": outcome.unchanged,
            "refused": outcome.refused,
            "problems": [trouble_as_dict(trouble) for trouble in outcome.troubles[:MOST_TROUBLES]],
        }
        if outcome.troubles and not body["good_rows_only"] and not body["dry_run"]:
            raise Problem("rows_refused", **said)
        return Response(said)
