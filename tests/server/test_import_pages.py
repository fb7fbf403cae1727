"""The pages of business systems: a CSV file tried and imported, templates, keys shown once."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Http
from django.urls import reverse

from server.integrations.domain.columns import COLUMNS
from server.integrations.domain.csvreading import UnreadableError, read_csv, template_of
from server.integrations.models import ApiKey, ImportRun, Kind
from server.people.models import StaffMember, User
from tests.server.pages import administrator_of, auditor_of, coordinator_of, patrol_of
from tests.server.world import World, make_team

pytestmark = pytest.mark.once

ADD = "admin:integrations_importrun_add"
NEW_KEY = "admin:integrations_apikey_add"
FILE = "\ufeffexternal_id;provider;name;employed_from\r\nA-1;Hemtjänst Norr;Dag Dal;2026-01-01\r\n"


@pytest.fixture(autouse=True)
def no_second_factor(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False


def signed_in(user: Any) -> Http:
    http = Http()
    http.force_login(user)
    return http


@pytest.fixture
def patrol(world: World) -> Http:
    return signed_in(patrol_of(world.municipality))


def upload(text: str | bytes, **fields: Any) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    return {"kind": "staff", "source": "planering", "file": SimpleUploadedFile("a.csv", data), **fields}


def test_a_file_is_tried_and_then_imported_without_choosing_it_again(patrol: Http) -> None:
    tried = patrol.post(reverse(ADD), upload(FILE))
    assert not StaffMember.objects.filter(source="planering").exists()
    assert "1 tillagda" in tried.content.decode()
    held = {"kind": "staff", "source": "planering", "held": tried.context["held"], "import": "1"}
    assert patrol.post(reverse(ADD), held).status_code == 302
    assert StaffMember.objects.get(source="planering").name == "Dag Dal"
    assert ImportRun.objects.get().by is not None


def test_bad_rows_are_shown_with_line_column_and_how_to_mend_them(patrol: Http) -> None:
    text = FILE + "\r\nA-2;Ingen;Eva;igår\r\n"
    page = patrol.post(reverse(ADD), upload(text, **{"import": "1"})).content.decode()
    assert "1 felaktig rad" in page
    assert "Skriv det som 2026-01-31." in page
    assert "<td>4</td>" in page  # an empty line counts, so that the number is the editor's
    assert not StaffMember.objects.filter(source="planering").exists()


def test_a_coordinator_imports_only_the_own_providers(world: World) -> None:
    make_team(world.municipality, "Hemtjänst Syd", "Grupp Syd")
    http = signed_in(coordinator_of(world.provider))
    page = http.get(reverse(ADD))
    assert [kind for kind, _label, _columns in page.context["kinds"]] == ["staff", "shifts", "visits"]
    foreign = FILE.replace("Norr", "Syd")
    assert http.post(reverse(ADD), upload(foreign)).context["outcome"].refused == 1
    assert http.post(reverse(ADD), upload(FILE, kind="clients")).context["form"].errors["kind"]
    assert http.post(reverse(ADD), upload(FILE, **{"import": "1"})).status_code == 302
    run = ImportRun.objects.get()
    assert (run.provider, run.by) == (world.provider, User.objects.get(role="coordinator"))
    assert http.get(reverse(NEW_KEY)).status_code == 403


def test_who_only_reads_imports_nothing(world: World) -> None:
    http = signed_in(auditor_of(world.municipality))
    assert http.get(reverse(ADD)).status_code == 403
    assert http.post(reverse(ADD), upload(FILE)).status_code == 403


def test_a_template_can_be_imported_as_it_is(patrol: Http) -> None:
    for kind in Kind.values:
        answer = patrol.get(reverse("admin:integrations_import_template", args=[kind]))
        ((_line, row),) = read_csv(answer.content)
        assert list(row) == [column.name for column in COLUMNS[kind]]
        for column in COLUMNS[kind]:
            assert row[column.name] == "" or column.read(row[column.name]) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"name\nEva",
        b"external_id;external_id\n1;2",
        b"external_id;name\nA;B;C",
        "external_id;name\nA;\xe5".encode("latin-1"),
        b'external_id;name\nA;"B',
        b"external_id;name\nA;\0",
        b"external_id;name\n;\n\n",
        b"external_id;name\n" + b"A;B\n" * 5001,
    ],
)
def test_a_file_that_cannot_be_read_says_why(data: bytes) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_csv(data)
    assert str(refused.value.why)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_files_as_spreadsheets_write_them(mark: str, delimiter: str) -> None:
    text = f'{mark}external_id{delimiter}Name\r\n1{delimiter}"Dal; Dag, ""D"""\r\n'
    assert read_csv(text.encode()) == [(2, {"external_id": "1", "name": 'Dal; Dag, "D"'})]


def test_a_held_file_that_was_tampered_with_is_asked_for_again(patrol: Http) -> None:
    page = patrol.post(reverse(ADD), {"kind": "staff", "source": "planering", "held": "AAAA", "import": "1"})
    assert page.context["form"].errors["file"]


def test_templates_begin_with_a_mark_for_spreadsheets() -> None:
    assert template_of("staff").startswith("\ufeffexternal_id;provider;name;employed_from;employed_to\r\n")


# --- keys ------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once(world: World) -> None:
    http = signed_in(administrator_of(world.municipality))
    made = http.post(reverse(NEW_KEY), {"name": "Planering", "source": "planering", "scopes": ["staff"]})
    token = made.context["token"]
    assert token in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    key = ApiKey.objects.get()
    for name, args in (("change", [key.pk]), ("changelist", [])):
        assert token not in http.get(reverse(f"admin:integrations_apikey_{name}", args=args)).content.decode()
    http.post(reverse("admin:integrations_apikey_revoke", args=[key.pk]))
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_a_providers_key_is_not_for_the_municipalitys_rows(world: World) -> None:
    http = signed_in(administrator_of(world.municipality))
    asked = {"name": "N", "source": "planering", "scopes": ["clients"], "provider": world.provider.pk}
    assert http.post(reverse(NEW_KEY), asked).context["form"].errors["scopes"]
    assert http.post(reverse(NEW_KEY), {**asked, "source": "Å Ä"}).context["form"].errors["source"]
    assert not ApiKey.objects.exists()
