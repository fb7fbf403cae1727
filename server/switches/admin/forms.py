"""What somebody chooses for a switch, in two steps: who and when, then the new provider's teams."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.people.models import CareProvider, Team
from server.switches import queries
from server.switches.domain.choosing import (
    MOST_CLIENTS,
    BadCode,
    BadCodesError,
    choose_all,
    choose_by_codes,
    read_codes,
)
from server.switches.domain.drafts import Draft
from server.switches.localtime import LocalTimeError, to_instant
from server.tenancy.moments import within_reach

MOST_BYTES = 1_000_000
FARTHEST = timedelta(days=400)


class LocalInstantField(forms.CharField):
    """A local date and time; times that come twice or never are refused in words."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"})

    def clean(self, value: Any) -> Any:
        """Return the instant, or None when nothing was entered."""
        text = super().clean(value)
        if not text:
            return None
        try:
            local = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError(_("Write date and time as 2026-01-31 07:00.")) from error
        within_reach(local)
        if local.tzinfo is not None:
            raise ValidationError(_("Write date and time as 2026-01-31 07:00."))
        try:
            return to_instant(local)
        except LocalTimeError as error:
            raise ValidationError(str(error)) from error


class _TeamsByProvider(forms.ModelChoiceField):
    """Teams named with their provider, for a list that holds several providers'."""

    def label_from_instance(self, obj: Any) -> str:
        """Return provider and team."""
        return f"{obj.provider} · {obj}"


class ChooseForm(forms.Form):
    """From whom, to whom, who and when."""

    class Who:
        CODES, EVERYBODY, TEAM, AREA = "codes", "all", "team", "area"

    from_provider = forms.ModelChoiceField(
        label=gettext_lazy("From provider"), queryset=CareProvider.unscoped.none()
    )
    to_provider = forms.ModelChoiceField(
        label=gettext_lazy("To provider"), queryset=CareProvider.unscoped.none()
    )
    who = forms.ChoiceField(
        label=gettext_lazy("Which clients"),
        widget=forms.RadioSelect,
        initial=Who.CODES,
        choices=[
            (Who.CODES, gettext_lazy("These alarm codes")),
            (Who.EVERYBODY, gettext_lazy("All clients of the provider")),
            (Who.TEAM, gettext_lazy("All clients of one team")),
            (Who.AREA, gettext_lazy("All clients of the provider in one area")),
        ],
    )
    codes = forms.CharField(
        label=gettext_lazy("Alarm codes, one a line"),
        required=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 24, "spellcheck": "false"}),
    )
    codes_file = forms.FileField(
        label=gettext_lazy("… or a file"),
        required=False,
        help_text=gettext_lazy("Text or CSV; the first column holds the alarm code."),
    )
    team = _TeamsByProvider(label=gettext_lazy("Team"), required=False, queryset=Team.unscoped.none())
    area = forms.ChoiceField(label=gettext_lazy("Area"), required=False)
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        widget=forms.RadioSelect,
        initial="at",
        choices=[("at", gettext_lazy("At an instant")), ("now", gettext_lazy("Now, when it is confirmed"))],
    )
    at = LocalInstantField(label=gettext_lazy("Instant, Swedish time"), required=False, max_length=19)

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.bad_codes: list[BadCode] = []
        providers = queries.providers_to_choose()
        self.fields["from_provider"].queryset = providers  # type: ignore[attr-defined]
        self.fields["to_provider"].queryset = providers.filter(active=True)  # type: ignore[attr-defined]
        self.fields["team"].queryset = Team.objects.select_related("provider")  # type: ignore[attr-defined]
        areas = [(area, area) for area in queries.areas_with_clients()]
        self.fields["area"].choices = [("", "---------"), *areas]  # type: ignore[attr-defined]

    def clean_codes_file(self) -> str:
        """Return the file's text."""
        uploaded: UploadedFile | None = self.cleaned_data["codes_file"]
        if uploaded is None:
            return ""
        if (uploaded.size or 0) > MOST_BYTES:
            raise ValidationError(_("The file is too large."))
        data: bytes = uploaded.read()
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data.decode("cp1252", errors="replace")

    def clean(self) -> dict[str, Any]:
        """Check that the parts fit together and find the clients."""
        data: dict[str, Any] = super().clean() or {}
        self._check_instant(data)
        source, target = data.get("from_provider"), data.get("to_provider")
        if source is not None and source == target:
            self.add_error("to_provider", _("Choose two different care providers."))
        if source is not None and not self.errors:
            data["clients"] = self._clients(data, source)
        return data

    def _check_instant(self, data: dict[str, Any]) -> None:
        if data.get("when") == "now":
            data["at"] = None
        elif "at" in data and data["at"] is None:
            self.add_error("at", _("Choose an instant, or “now”."))
        elif data.get("at") is not None and data["at"] <= self.now:
            self.add_error("at", _("The instant has passed. Choose a later one, or “now”."))
        elif data.get("at") is not None and data["at"] > self.now + FARTHEST:
            self.add_error("at", _("The instant is more than a year ahead."))

    def _clients(self, data: dict[str, Any], source: CareProvider) -> list[int]:
        who = data["who"]
        if who == self.Who.CODES:
            return self._by_codes(data, source)
        narrowed: dict[str, Any] = {}
        if who == self.Who.TEAM:
            if data.get("team") is None or data["team"].provider_id != source.pk:
                self.add_error("team", _("Choose a team of %(provider)s.") % {"provider": source})
                return []
            narrowed["team"] = data["team"].pk
        elif who == self.Who.AREA:
            if not data.get("area"):
                self.add_error("area", _("Choose an area."))
                return []
            narrowed["area"] = data["area"]
        found = choose_all(provider=source, at=data["at"] or self.now, now=self.now, **narrowed)
        if not found:
            self.add_error("who", _("%(provider)s has no such clients then.") % {"provider": source})
        return self._bounded("who", found)

    def _by_codes(self, data: dict[str, Any], source: CareProvider) -> list[int]:
        lines = read_codes("\n".join(part for part in (data["codes"], data["codes_file"]) if part))
        if not lines:
            self.add_error("codes", _("Enter at least one alarm code, or choose a file."))
            return []
        try:
            return self._bounded("codes", choose_by_codes(lines, provider=source, at=self.now))
        except BadCodesError as error:
            self.bad_codes = error.bad
            self.add_error("codes", _("Nothing is chosen: correct the lines below."))
            return []

    def _bounded(self, field: str, clients: list[int]) -> list[int]:
        if len(clients) > MOST_CLIENTS:
            self.add_error(field, _("At most %(most)s clients at a time.") % {"most": MOST_CLIENTS})
        return clients

    def draft(self) -> Draft:
        """Return what was chosen."""
        data = self.cleaned_data
        return Draft(data["from_provider"].pk, data["to_provider"].pk, tuple(data["clients"]), data["at"])


class TeamsForm(forms.Form):
    """Which of the new provider's teams takes over: one for all, or one an area."""

    everybody = forms.ModelChoiceField(label=gettext_lazy("Team for all"), queryset=Team.unscoped.none())

    def __init__(self, *args: Any, provider_id: int, areas: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = queries.teams_to_choose(provider_id)
        self.fields["everybody"].queryset = teams  # type: ignore[attr-defined]
        self.areas = [area for area in areas if area]
        if len(self.areas) > 1:
            for number, area in enumerate(self.areas):
                self.fields[f"area_{number}"] = forms.ModelChoiceField(
                    label=area, queryset=teams, required=False, empty_label=_("as for all")
                )

    @property
    def by_area(self) -> list[forms.BoundField]:
        """The fields of single areas."""
        return [field for field in self if field.name != "everybody"]

    def teams(self) -> dict[str, int]:
        """Return the chosen teams by area; under "" the one for all others."""
        chosen = {"": self.cleaned_data["everybody"].pk}
        for number, area in enumerate(self.areas):
            team = self.cleaned_data.get(f"area_{number}")
            if team is not None:
                chosen[area] = team.pk
        return chosen
