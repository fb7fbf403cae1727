"""The base of every view of the API."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django_scopes import scope
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.config.rest import errors
from server.config.rest.parsing import DEFAULT_BODY, BoundedJSONParser

S = TypeVar("S", bound="serializers.Serializer[Any]")


class ApiView(APIView):
    """Bounded JSON in, problems in words out, and the caller's municipality as scope."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    parser_classes = (BoundedJSONParser,)
    max_body = DEFAULT_BODY

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer within the caller's scope, left again whatever happens."""
        with ExitStack() as self._scopes:
            return super().dispatch(request, *args, **kwargs)

    def enter_scope(self, municipality_id: int) -> None:
        """Limit every query of this request to one municipality."""
        self._scopes.enter_context(scope(municipality=municipality_id))

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Answer problems in words."""
        return errors.handle

    def valid(self, kind: type[S], request: Request) -> dict[str, Any]:
        """Return the validated body; raises ValidationError."""
        serializer = kind(data=request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def now_seconds() -> int:
    """Return server time in whole seconds since 1970 UTC."""
    return int(timezone.now().timestamp())
