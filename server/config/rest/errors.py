"""Every error of the API as {"code", "message_sv", "message_en", "details"}."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from server.problems import Problem

_CODES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.ValidationError, "invalid"),
    (exceptions.ParseError, "invalid"),
    (exceptions.Throttled, "throttled"),
    (exceptions.MethodNotAllowed, "method_not_allowed"),
    (exceptions.UnsupportedMediaType, "unsupported_media_type"),
    (exceptions.NotAcceptable, "not_acceptable"),
    (exceptions.NotFound, "not_found"),
    (exceptions.PermissionDenied, "not_permitted"),
    (exceptions.NotAuthenticated, "device_unknown"),
    (exceptions.AuthenticationFailed, "device_unknown"),
    (Http404, "not_found"),
    (PermissionDenied, "not_permitted"),
    (RequestDataTooBig, "too_large"),
)


class ProblemSerializer(serializers.Serializer[Any]):
    """The form of every error."""

    code = serializers.CharField()
    message_sv = serializers.CharField()
    message_en = serializers.CharField()
    details = serializers.DictField()


def problem_of(error: Exception) -> Problem | None:
    """Return the problem an exception stands for, or None when it is a bug."""
    if isinstance(error, Problem):
        return error
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    if code is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        return Problem(code, fields=error.detail)
    if isinstance(error, exceptions.Throttled):
        return Problem(code, wait_s=int(getattr(error, "wait", None) or 0) + 1)
    return Problem(code)


def handle(error: Exception, _context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: a problem in words, or None to let a bug surface as one."""
    problem = problem_of(error)
    if problem is None:
        return None
    response = Response(problem.as_dict(), status=problem.status)
    if problem.code == "throttled":
        response["Retry-After"] = str(problem.details["wait_s"])
    return response
