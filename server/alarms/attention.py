"""What the start page says of alarms."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from server.alarms.models import Alarm, AlarmTeam
from server.alarms.queries import open_alarms
from server.config.attention import Card, Tone, card


@card(permission="alarms.change_alarm")
def unanswered(at: datetime) -> Card | None:
    """Alarms that nobody has taken."""
    count = open_alarms().filter(state=Alarm.State.RAISED).count()
    if not count:
        return None
    return Card(
        _("Alarms that nobody has taken"),
        count,
        reverse("admin:alarms_alarm_add"),
        Tone.BAD,
        _("Send somebody by hand if nobody answers."),
    )


@card(permission="alarms.view_alarm")
def under_way(at: datetime) -> Card | None:
    """Alarms that somebody is seeing to."""
    count = open_alarms().exclude(state=Alarm.State.RAISED).count()
    url = reverse("admin:alarms_alarm_changelist")
    hint = _("End each when it is over: the right ends with it.")
    return Card(_("Alarms under way"), count, url, Tone.INFO, hint) if count else None


@card(permission="alarms.add_alarmteam")
def nobody_responds(at: datetime) -> Card | None:
    """That no team responds at all."""
    if AlarmTeam.objects.exists():
        return None
    url = reverse("admin:alarms_alarmteam_changelist")
    return Card(_("Teams that respond to alarms"), 0, url, Tone.WARN, _("Without any nobody is asked."))
