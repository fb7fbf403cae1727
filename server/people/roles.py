"""Who may do what: roles, and the permissions of each, as a table in code.

There are no groups or permissions in the database: what a role may do is the same everywhere, is read here
and changes with a commit. Which *rows* somebody sees is another matter: `server.config.visibility`.

An administrator is a superuser with a municipality and may do everything in it; an operator is a superuser
without one. Neither needs a role.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a sign-in is for. Blank: only for the phone."""

    PATROL = "patrol", _("patrol")
    COORDINATOR = "coordinator", _("coordinator")
    INSTALLER = "installer", _("installer")
    AUDITOR = "auditor", _("auditor")
    OWNER_CONTACT = "owner_contact", _("property owner's contact")


NARROW = frozenset({Role.COORDINATOR, Role.OWNER_CONTACT})
"""Roles that see a part of the municipality only."""

_P, _C, _I, _A, _O = Role.PATROL, Role.COORDINATOR, Role.INSTALLER, Role.AUDITOR, Role.OWNER_CONTACT

MODELS: Mapping[str, Mapping[Role, str]] = {
    # model: what each role may do with its rows; add a line with the model
    "people.careprovider": {_P: "view add change", _C: "view", _I: "view", _A: "view"},
    "people.team": {_P: "view add change delete", _C: "view add change", _A: "view"},
    "people.staffmember": {_P: "view add change", _C: "view add change", _A: "view"},
    "people.phone": {_P: "view change", _C: "view change", _A: "view"},
    "people.phonecontact": {_P: "view", _C: "view", _A: "view"},
    "people.bearer": {_P: "view", _C: "view", _A: "view"},
    "people.enrolmentcode": {_P: "view", _C: "view", _A: "view"},
    "people.user": {_P: "view add change", _C: "view change", _A: "view"},
    "places.propertyowner": {_P: "view add change", _C: "view", _I: "view", _A: "view"},
    "places.property": {_P: "view add change", _C: "view", _I: "view", _A: "view"},
    "places.door": {_P: "view add change", _C: "view change", _I: "view change", _A: "view"},
    "places.doorpath": {_P: "view add change delete", _C: "view", _I: "view", _A: "view"},
    "care.client": {_P: "view add change", _C: "view", _A: "view"},
    "care.careassignment": {_P: "view add change", _C: "view change", _A: "view"},
    "care.consent": {_P: "view add change", _C: "view add", _I: "view", _A: "view"},
    "care.consentdocument": {_P: "view add", _C: "view add", _O: "view"},
    "care.shift": {_P: "view add change", _C: "view add change", _A: "view"},
    "care.visit": {_P: "view add change delete", _C: "view add change delete", _A: "view"},
    "locks.lock": {_P: "view change", _C: "view", _I: "view change", _A: "view"},
    "locks.lockstatus": {_P: "view", _C: "view", _I: "view", _A: "view"},
    "locks.binding": {_P: "view", _C: "view", _I: "view", _A: "view"},
    "locks.bindinggroup": {_P: "view", _C: "view", _A: "view"},
    "locks.bulletindue": {_P: "view", _A: "view"},
    "locks.firmwarerelease": {_P: "view", _I: "view", _A: "view"},
    "locks.bulletin": {_P: "view", _I: "view", _A: "view"},
    "locks.serviceright": {_P: "view", _A: "view"},
    # Numbers in a shared gate's log would tell how often others pass.
    "locks.logposition": {_P: "view", _I: "view", _A: "view"},
    "locks.workorder": {_P: "view add change", _C: "view add", _I: "view change", _A: "view"},
    "access.token": {_P: "view", _C: "view", _A: "view"},
    "access.extraright": {_P: "view", _C: "view", _A: "view"},
    # Which of all doors a team opens without an assignment is the patrol's to say, and the patrol's only.
    "access.standingright": {_P: "view add change", _C: "view", _A: "view"},
    "access.revocation": {_P: "view add", _C: "view add", _A: "view"},
    "passages.passage": {_P: "view", _C: "view", _A: "view"},
    "passages.sealedbatch": {_P: "view", _A: "view"},
    "passages.loggap": {_P: "view", _I: "view", _A: "view"},
    "passages.batchhead": {_P: "view", _A: "view"},
    "passages.lockclock": {_P: "view", _A: "view"},
    "passages.passagecount": {_P: "view", _C: "view", _A: "view"},
    "passages.deviation": {_P: "view add change", _C: "view change", _I: "view change", _A: "view"},
    "alarms.alarm": {_P: "view add change", _C: "view", _A: "view"},
    "alarms.alarmoffer": {_P: "view", _C: "view", _A: "view"},
    "alarms.alarmcall": {_P: "view", _A: "view"},
    "alarms.alarmteam": {_P: "view add change delete", _C: "view", _A: "view"},
    "alarms.alarmsystem": {_P: "view add change", _A: "view"},
    "alarms.alarmpolicy": {_P: "view add change", _A: "view"},
    "switches.providerswitch": {_P: "view add change", _C: "view", _A: "view"},
    "integrations.apikey": {_P: "view", _A: "view"},
    "integrations.importrun": {_P: "view add", _C: "view add", _A: "view"},
    "audit.auditentry": {_P: "view", _A: "view"},
    "privacy.privacypolicy": {_A: "view"},
    "privacy.shredding": {_A: "view"},
    "tenancy.municipality": {_P: "view", _A: "view"},
    "tenancy.manifest": {_P: "view", _A: "view"},
    "tenancy.manifestdraft": {_P: "view", _A: "view"},
    "tenancy.rolekey": {_P: "view", _A: "view"},
}

CUSTOM: Mapping[str, frozenset[Role]] = {
    # permissions that stand in a model's Meta.permissions: who has them
    "audit.export_auditentry": frozenset({_P, _A}),
    "access.give_extraright": frozenset({_P, _C}),
    "access.review_extraright": frozenset({_P, _C}),
    "care.pause_client": frozenset({_P, _C}),
    "care.record_metal_keys": frozenset({_P, _C}),
    "care.withdraw_consent": frozenset({_P, _C}),
    "care.withdraw_consent_at_once": frozenset({_P}),
    "places.view_own_portfolio": frozenset({_O}),
    "locks.plan_workorder": frozenset({_P, _I}),
    "passages.export_passages": frozenset({_P, _C, _A}),
    "passages.prove_log": frozenset({_P, _A}),
    "passages.view_visit_times": frozenset({_P, _C, _A}),
}


def _table() -> dict[Role, frozenset[str]]:
    found: dict[Role, set[str]] = defaultdict(set)
    for label, roles in MODELS.items():
        app, model = label.split(".")
        for role, verbs in roles.items():
            found[role] |= {f"{app}.{verb}_{model}" for verb in verbs.split()}
    for permission, holders in CUSTOM.items():
        for role in holders:
            found[role].add(permission)
    return {role: frozenset(found[role]) for role in Role}


PERMISSIONS: Mapping[Role, frozenset[str]] = _table()
"""Role to permissions as Django names them: `app.verb_model`."""


def permissions_of(role: str) -> frozenset[str]:
    """Return what somebody with this role may do; nothing for a blank or unknown one."""
    return PERMISSIONS.get(Role(role), frozenset()) if role in Role.values else frozenset()
