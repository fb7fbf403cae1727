"""What is answered when something of ours failed: plain words, to a person and to a program."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from server.problems import Problem


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a failure that nobody foresaw; the log has what it was, the answer never does."""
    if request.path.startswith("/api/"):
        problem = Problem("server_error")
        return JsonResponse(problem.as_dict(), status=problem.status)
    return defaults.server_error(request)
