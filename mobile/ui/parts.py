"""The parts of the app, in the order of their screens. A new one is a function here and a line in `PARTS`."""

from __future__ import annotations

from collections.abc import Callable

from mobile.ui import (
    alarms,
    bluetooth,
    emergency,
    installing,
    leaving,
    logins,
    mypin,
    own,
    pin,
    practice,
    report,
    screens,
)
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action
from mobile.viewmodels.about import AboutModel
from mobile.viewmodels.doors import DoorModel
from mobile.viewmodels.enrol import EnrolModel
from mobile.viewmodels.finder import FinderModel
from mobile.viewmodels.help import HelpModel
from mobile.viewmodels.history import HistoryModel
from mobile.viewmodels.pin import PinModel
from mobile.viewmodels.results import ResultModel
from mobile.viewmodels.settings import SettingsModel
from mobile.viewmodels.signin import SignInModel
from mobile.viewmodels.today import TodayModel


def before_work(shell: Shell) -> Part:
    """Enrolment and the two logins."""
    session, navigation = shell.session, shell.navigation
    return Part(
        kv=("pin", "enrol", "signin"),
        screens={
            pin.PinScreen: PinModel(session),
            logins.EnrolScreen: EnrolModel(session, navigation),
            logins.SignInScreen: SignInModel(session, navigation),
        },
        acts={"sign_in": navigation.sign_in},
    )


def doors(shell: Shell) -> Part:
    """The day, its doors, and what came of a tap."""
    session, navigation, taps = shell.session, shell.navigation, shell.taps
    today, result = TodayModel(session), ResultModel(session, navigation, taps)
    return Part(
        kv=("today", "finder", "door", "result", "help"),
        screens={
            screens.TodayScreen: today,
            screens.FinderScreen: FinderModel(session, navigation),
            screens.DoorScreen: DoorModel(session, navigation, taps),
            screens.ResultScreen: result,
            screens.HelpScreen: HelpModel(session, navigation),
        },
        acts={"sync": today.sync, "retry": result.retry, "lock": result.lock, "done": result.done},
    )


def personal(shell: Shell) -> Part:
    """The person's own taps and choices, and what there is to know about the app."""
    session = shell.session
    settings = SettingsModel(session, shell.navigation)
    return Part(
        kv=("history", "settings", "about"),
        screens={
            own.HistoryScreen: HistoryModel(session),
            own.SettingsScreen: settings,
            own.AboutScreen: AboutModel(session),
        },
        acts={
            "lock_app": settings.lock_app,
            "sign_out": lambda: settings.ask_sign_out(True),
            "sign_out_no": lambda: settings.ask_sign_out(False),
            "sign_out_yes": settings.sign_out,
        },
        links=lambda: [Action("go:about", session.texts.tr("about.title"), "help")],
    )


PARTS: tuple[Callable[[Shell], Part], ...] = (
    before_work,
    doors,
    personal,
    bluetooth.part,
    alarms.part,
    emergency.part,
    report.part,
    leaving.part,
    practice.part,
    mypin.part,
    installing.part,
)
