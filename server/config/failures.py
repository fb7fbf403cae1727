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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer that there is no such address: to a program in the API's own form."""
    if request.path.startswith("/api/"):
        problem = Problem("not_found")
        return JsonResponse(problem.as_dict(), status=problem.status)
    return defaults.page_not_found(request, exception)
