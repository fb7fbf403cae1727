"""Care's own pages in the menu."""

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:care_client_changelist",
    _("Clients"),
    permission="care.view_client",
    group=Group.CARE,
    hint=_("The way in, consents, metal keys; pause and end of care"),
)
navigation.add(
    "admin:care_consent_missing",
    _("Missing consents"),
    permission="care.view_client",
    group=Group.CARE,
    hint=_("Whom to ask, and how many clients wait"),
)
navigation.add(
    "admin:care_client_metal_keys",
    _("Metal keys that may go back"),
    permission="care.view_client",
    group=Group.CARE,
    hint=_("Clients whose providers all open by phone"),
)
