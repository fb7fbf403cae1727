"""Per request: Swedish first, readable input, a second factor, and the wall between municipalities."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django_scopes import scope, scopes_disabled
from whitenoise.middleware import WhiteNoiseMiddleware

from server.people.second_factor import has_second_factor

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class UnkeptMiddleware:
    """What the server says stays in no cache, unless the answer itself says otherwise.

    Pages of Django's administration say so already; those where a second factor is set up do not, and many
    sit at shared desks: recovery codes and an authenticator app's secret would lie in the browser's cache.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, not to be kept."""
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class SwedishFirstMiddleware(LocaleMiddleware):
    """Swedish unless the person chose otherwise; a browser's own language is no such choice."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language of the cookie, or Swedish."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_CODE)
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language


class ReadableInputMiddleware:
    """Refuses, before any view, what neither allauth nor the database can take in: 400 instead of 500.

    No browser and no phone sends such a thing. `/api/` reads queries and bodies strictly itself, and answers
    in its own form.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let through, or answer 400 with the reason."""
        # PostgreSQL has no NUL in its texts, and the administration's filters hand theirs straight on.
        in_api = request.path.startswith("/api/")
        if "%00" in request.META.get("QUERY_STRING", "") and not in_api:
            return HttpResponseBadRequest("NUL in the query")
        if request.path.startswith("/_allauth/") and not _is_flat_json(request.body):
            return HttpResponseBadRequest("not a flat JSON object of text")
        return self.get_response(request)


def _is_flat_json(body: bytes) -> bool:
    """Return whether a body is empty, or what signing in needs: one JSON object without others in it."""
    try:
        said = json.loads(body or b"{}")
        if not isinstance(said, dict) or any(isinstance(value, dict | list) for value in said.values()):
            return False
        json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False  # a lone surrogate is a UnicodeEncodeError, and so a ValueError
    return True


class SecondFactorMiddleware:
    """Somebody signed in without a second factor reaches only the pages where one is set up."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let through, or send to the set-up page."""
        if self._is_fenced(request):
            return redirect("mfa_activate_totp")
        return self.get_response(request)

    @staticmethod
    def _is_fenced(request: HttpRequest) -> bool:
        if not settings.SECOND_FACTOR_REQUIRED or not request.user.is_authenticated:
            return False
        open_to_all = (
            reverse("account_logout"),
            reverse("account_reauthenticate"),
            "/accounts/2fa/",
            "/static/",
            "/i18n/",
        )
        return not request.path.startswith(open_to_all) and not has_second_factor(
            request.user, request.session
        )


class MunicipalityScopeMiddleware:
    """Every query of a signed-in person sees that person's municipality only, and of it no more than the
    role does: a coordinator the own provider's part, an owner's contact the owner's.

    An operator (superuser without municipality) sees all; an anonymous request has no scope, so that a
    view which forgets to check fails loudly instead of leaking.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer within the person's scope."""
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        if user.municipality_id is not None:
            with scope(municipality=user.municipality_id, viewer=user.viewer):
                return self._rendered(request)
        if user.is_superuser:
            with scopes_disabled():
                return self._rendered(request)
        return self.get_response(request)

    def _rendered(self, request: HttpRequest) -> HttpResponseBase:
        # Template responses render lazily; rendering must still happen inside the scope.
        response = self.get_response(request)
        render = getattr(response, "render", None)
        return render() if callable(render) and isinstance(response, HttpResponse) else response


class StaticMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise whose answers are whole, not streamed.

    Under ASGI a synchronous stream is read in one go anyway, with a warning for each file; ours are small.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """Answer with a static file."""
        streamed = WhiteNoiseMiddleware.serve(static_file, request)
        try:
            whole = HttpResponse(b"".join(streamed.streaming_content), status=streamed.status_code)
        finally:
            streamed.close()
        whole.headers = streamed.headers
        return whole
