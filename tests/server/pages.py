"""What the tests of the administration share: its models, their addresses, and a row of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

from protocol import manifest
from protocol.ceremony import Ceremony
from protocol.manifest import Manifest as ProtocolManifest
from protocol.manifest import RootSet
from server.access.models import ExtraRight, Revocation, StandingRight, Token
from server.alarms.models import Alarm, AlarmCall, AlarmOffer, AlarmPolicy, AlarmSystem, AlarmTeam
from server.audit.models import AuditEntry
from server.care.models import ConsentDocument, Visit
from server.integrations.models import ApiKey, ImportRun
from server.keys.rules import as_wire
from server.locks.models import (
    BindingGroup,
    Bulletin,
    BulletinDue,
    FirmwareRelease,
    LockStatus,
    LogPosition,
    ServiceRight,
    WorkOrder,
)
from server.passages.models import Deviation, LogGap, PassageCount, SealedBatch
from server.people.models import CareProvider, EnrolmentCode, PhoneContact, Team, User
from server.places.models import PropertyOwner
from server.privacy.models import PrivacyPolicy, Shredding
from server.switches.models import GateNeighbour, ProviderSwitch, SwitchedClient, SwitchedDoor
from server.tenancy.models import Manifest, ManifestDraft, Municipality, RoleKey
from tests.server.fill import add_passages
from tests.server.world import LONG_AGO, NOW, SHIFT_END, SHIFT_START, World

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
SECRET = b"\xa5secret bytes\x5a"
QUERY_LIMIT = 40


def name_of(model: type[Model]) -> str:
    return model._meta.label_lower


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def fill_every_table(world: World) -> None:
    """Make at least one row of every model, with bytes that must never show.

    Called for each of several providers in one municipality: what is unique there takes `salt`.
    """
    m = {"municipality": world.municipality}
    if not Manifest.objects.exists():
        _fill_municipality(world.municipality)
    salt = world.provider.pk.to_bytes(8, "big")
    binding, lock = world.gate_binding, world.gate_binding.lock
    type(binding).objects.update(sealed_adv_key=SECRET, commission_document=SECRET, lock_record=SECRET)
    PhoneContact.objects.create(**m, phone=world.phone, last_seen_at=NOW)
    EnrolmentCode.objects.create(
        **m, staff=world.alice, code_hash=SECRET + b"-" * 10 + salt, created_at=LONG_AGO, expires_at=NOW
    )
    Visit.objects.create(
        **m, shift=world.shift, client=world.client, starts_at=SHIFT_START, ends_at=SHIFT_END
    )
    LockStatus.objects.create(**m, lock=lock, battery_percent=80)
    BindingGroup.objects.create(**m, binding=binding, provider=world.provider, grp=1)
    BulletinDue.objects.create(**m, binding=binding)
    Bulletin.objects.create(
        **m, binding=binding, seq=1, document=SECRET, content_hash=b"h" * 32, created_at=NOW
    )
    LogPosition.objects.create(**m, lock=lock, epoch=1, acked_hash=b"h" * 32, receipt=SECRET)
    ServiceRight.objects.create(
        **m,
        token_id=salt,
        binding=binding,
        installer=User.objects.get_or_create(username="montor-med-arbete", defaults=m)[0],
        fingerprint=salt,
        scope=4,
        issued_at=LONG_AGO,
        expires=NOW,
    )
    token = Token.objects.create(
        **m,
        token_id=salt,
        bearer=world.bearer,
        binding=binding,
        shift=world.shift,
        provider=world.provider,
        issued_at=NOW,
        not_before=SHIFT_START,
        expires=SHIFT_END,
        scope=1,
        grp=1,
        document=SECRET,
    )
    beside = {"staff": world.alice, "provider": world.provider, "starts_at": NOW, "ends_at": SHIFT_END}
    ExtraRight.objects.create(**m, **beside, kind="adhoc", team=world.team, reason="borrowed")
    ExtraRight.objects.create(**m, **beside, kind="break_glass", client=world.client, reason="no_answer")
    StandingRight.objects.create(**m, team=world.team, areas=["Ingenstans"], starts_at=LONG_AGO)
    Revocation.objects.create(**m, target="token", token=token, at=NOW, reason="lost")
    SealedBatch.objects.create(
        **m, digest=b"d" * 24 + salt, document=SECRET, received_at=NOW, status="held", lock=lock
    )
    add_passages(world)
    LogGap.objects.create(**m, lock=lock, epoch=1, first_seq=4, last_seq=9, noticed_at=NOW)
    PassageCount.objects.create(
        **m, door=world.gate, provider=world.provider, month=LONG_AGO, kind="granted", count=3
    )
    jam = Deviation.objects.create(**m, kind="jam", door=world.gate, lock=lock, opened_at=NOW)
    WorkOrder.objects.create(
        **m, kind="repair", door=world.gate, lock=lock, deviation=jam, planned_for=NOW.date(), created_at=NOW
    )
    ConsentDocument.objects.create(
        **m,
        consent=world.client_consent,
        kind="pdf",
        size=7,
        sha256=b"d" * 24 + salt,
        sealed_content=SECRET,
        added_at=NOW,
    )
    _fill_alarms(world, salt)


def _fill_municipality(municipality: Municipality) -> None:
    m = {"municipality": municipality}
    _fill_keys(municipality)
    FirmwareRelease.objects.create(
        **m,
        model="linux-python-1",
        version=2,
        security=1,
        size=len(SECRET),
        digest=b"d" * 32,
        document=SECRET,
        image=SECRET,
        signed_at=LONG_AGO,
        published_at=NOW,
    )
    AuditEntry.objects.create(**m, acting_as="server", action="x", object_type="locks.lock", object_id="1")
    PrivacyPolicy.objects.create(**m, months_after_leaving=24)
    Shredding.objects.create(**m, data_class="staff", at=NOW, object_type="people.staffmember", object_id="0")


def _fill_keys(municipality: Municipality) -> None:
    """A manifest that is signed and one that is not: both are read on the page of the keys."""
    m = {"municipality": municipality}
    roots = [manifest.root_signing_key(seed * 32) for seed in (b"1", b"2")]
    keys = [
        RoleKey.objects.create(
            **m,
            role=role,
            kid=bytes([0, number]),
            public_key=bytes([number]) * 32,
            sealed_private_key=SECRET,
            active_from=NOW,
        )
        for number, role in enumerate(RoleKey.Role, 1)
    ]
    root_set = RootSet(tuple(sorted(root.public for root in roots)), 2)
    municipality.root_public_keys = [key.hex() for key in root_set.keys]
    municipality.save()
    held = ProtocolManifest(1, b"testmuni", 0, root_set, tuple(sorted(as_wire(key) for key in keys)))
    document = manifest.sign(held, roots)
    Manifest.objects.create(**m, version=1, document=document)
    proposed = Ceremony(document, manifest.payload_of(replace(held, version=2)))
    ManifestDraft.objects.create(**m, version=2, document=proposed.encode(), created_at=NOW)


def _fill_alarms(world: World, salt: bytes) -> None:
    """An alarm that Alice took, raised by a system."""
    m = {"municipality": world.municipality}
    AlarmPolicy.objects.get_or_create(**m)
    AlarmTeam.objects.create(**m, team=world.team)
    system = AlarmSystem.objects.create(
        **m, name=f"Larmcentral {world.provider.name}", token_hash=SECRET + b"-" * (24 - len(SECRET)) + salt
    )
    alarm = Alarm.objects.create(
        **m,
        client=world.client,
        system=system,
        state="taken",
        raised_at=NOW,
        offers_open_at=NOW,
        taken_by=world.alice,
        taken_at=NOW,
    )
    AlarmCall.objects.create(**m, alarm=alarm, system=system, external_id="larm-1", at=NOW)
    AlarmOffer.objects.create(
        **m, alarm=alarm, staff=world.alice, rank=1, offered_at=NOW, answer="taken", answered_at=NOW
    )
    _fill_switch(world)
    key = ApiKey.objects.create(
        **m,
        name=f"Planering {world.provider.name}",
        source="planering",
        provider=world.provider,
        scopes=["staff"],
        token_hash=SECRET + b"+" * (24 - len(SECRET)) + salt,
        beginning="abcdefgh",
        created_at=NOW,
    )
    ImportRun.objects.create(
        **m, kind="staff", source="planering", at=NOW, key=key, provider=world.provider, rows=1, added=1
    )


def _fill_switch(world: World) -> None:
    """A switch from the world's provider to one that nobody else has to do with."""
    m = {"municipality": world.municipality}
    successor = CareProvider.objects.create(**m, name=f"Efterträdare {world.provider.pk}")
    team = Team.objects.create(**m, provider=successor, name="Grupp A")
    switch = ProviderSwitch.objects.create(
        **m,
        from_provider=world.provider,
        to_provider=successor,
        at=SHIFT_END,
        client_count=1,
        form_key=f"formulär-{world.provider.pk}",
        planned_at=NOW,
        issued_at=NOW,
    )
    switched = SwitchedClient.objects.create(**m, switch=switch, client=world.client, to_team=team)
    for door, binding in ((world.gate, world.gate_binding), (world.apartment, world.apartment_binding)):
        SwitchedDoor.objects.create(
            **m, switched=switched, door=door, binding=binding, on_the_way=door == world.gate
        )
    GateNeighbour.objects.create(**m, switch=switch, binding=world.gate_binding, provider=successor)


def administrator_of(municipality: Municipality) -> User:
    return User.objects.create_superuser(f"chef-{municipality.pk}", municipality=municipality)


def patrol_of(municipality: Municipality) -> User:
    return User.objects.create_user(f"jour-{municipality.pk}", municipality=municipality, role="patrol")


def coordinator_of(provider: CareProvider) -> User:
    return User.objects.create_user(
        f"samordnare-{provider.pk}",
        municipality=provider.municipality,
        role="coordinator",
        provider=provider,
    )


def auditor_of(municipality: Municipality) -> User:
    return User.objects.create_user(f"granskare-{municipality.pk}", municipality=municipality, role="auditor")


def installer_of(municipality: Municipality) -> User:
    return User.objects.create_user(f"montor-{municipality.pk}", municipality=municipality, role="installer")


def owner_contact_of(owner: PropertyOwner) -> User:
    return User.objects.create_user(
        f"hyresvard-{owner.pk}", municipality=owner.municipality, role="owner_contact", owner=owner
    )
