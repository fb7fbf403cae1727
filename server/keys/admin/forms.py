"""What an administrator may ask for: other keys, keys given up, other roots."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from protocol import ceremony
from protocol.manifest import RootSet
from server.keys.domain.proposing import new_roots
from server.problems import Problem
from server.tenancy.models import RoleKey


class RenewForm(forms.Form):
    """Which roles get a new key."""

    roles = forms.MultipleChoiceField(
        label=_("New keys for"),
        choices=RoleKey.Role.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )


class LeakForm(forms.Form):
    """Which keys somebody else may have."""

    keys = forms.MultipleChoiceField(
        label=_("Keys that have leaked"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    sure = forms.BooleanField(label=_("Yes, give these keys up at once"))

    def __init__(self, *args: Any, keys: list[RoleKey], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["keys"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  declared above
        field.choices = [
            (bytes(key.kid).hex(), f"{key.get_role_display()} {bytes(key.kid).hex()}") for key in keys
        ]

    def kids(self) -> list[bytes]:
        """Return the ids of the keys chosen."""
        return [bytes.fromhex(kid) for kid in self.cleaned_data["keys"]]


class RootsForm(forms.Form):
    """The root keys from now on, one a line."""

    public_keys = forms.CharField(
        label=_("Root keys (public), one on each line"),
        widget=forms.Textarea({"rows": 5, "spellcheck": "false"}),
        max_length=500,
    )
    threshold = forms.IntegerField(label=_("root signatures needed"), min_value=2, max_value=5, initial=2)

    def roots(self) -> RootSet:
        """Return the root set; raises `Problem` roots_invalid."""
        try:
            keys = [bytes.fromhex(line) for line in self.cleaned_data["public_keys"].split()]
        except ValueError as error:
            raise Problem("roots_invalid") from error
        return new_roots(keys, self.cleaned_data["threshold"])


class SignedFileForm(forms.Form):
    """A file that somebody with a root key has signed."""

    file = forms.FileField(label=_("Signed file"), allow_empty_file=False)

    def content(self) -> bytes:
        """Return what was uploaded; raises `Problem` ceremony_unreadable when it is too large to be one."""
        uploaded = self.cleaned_data["file"]
        if uploaded.size > ceremony.MAX_SIZE:
            raise Problem("ceremony_unreadable")
        return bytes(uploaded.read())
