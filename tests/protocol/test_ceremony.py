"""Signing a manifest away from the server: the file, the root holders' command, and what is refused."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from protocol import cbor, ceremony, cose, manifest
from protocol.ceremony import Ceremony
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import SigningKey
from protocol.manifest import Role, RoleKey, RootSet
from roots.__main__ import main
from tests.protocol import page
from tests.protocol.vectors import world
from tests.protocol.vectors.world import seed

OLD = tuple(manifest.root_signing_key(seed(f"old root {n}")) for n in range(3))
NEW = tuple(manifest.root_signing_key(seed(f"new root {n}")) for n in range(3))
STRANGER = manifest.root_signing_key(seed("nobody's root"))
OLD_SET, NEW_SET = (RootSet(tuple(sorted(key.public for key in keys)), 2) for keys in (OLD, NEW))
HELD = manifest.sign(replace(world.MANIFEST, version=4, roots=OLD_SET), OLD[:2])
TOKEN_2 = RoleKey(Role.TOKEN, b"t2", SigningKey.from_seed(b"t2", seed("token 2")).public)


def proposal(version: int = 5, roots: RootSet = OLD_SET, held: bytes | None = HELD) -> Ceremony:
    body = replace(
        world.MANIFEST, version=version, roots=roots, role_keys=(*world.MANIFEST.role_keys, TOKEN_2)
    )
    return Ceremony(held, manifest.payload_of(body))


def signed_by(read: Ceremony, *keys: SigningKey) -> Ceremony:
    for key in keys:
        read = ceremony.add_signature(read, key)
    return read


def test_the_file_comes_back_as_it_went_and_fits_the_page() -> None:
    for read in (proposal(), signed_by(proposal(), *OLD), proposal(held=None)):
        assert ceremony.parse(read.encode()) == read
        assert page.fits("ceremony", read.encode()) == []


def test_a_manifest_signed_piece_by_piece_is_the_one_that_is_signed_at_once() -> None:
    apart = signed_by(proposal(), OLD[1], OLD[0], OLD[1])
    assert apart.signed == manifest.sign(apart.proposed, OLD[:2])
    assert manifest.verify(apart.signed, OLD_SET) == apart.proposed


def test_who_must_still_sign_is_known_for_every_root_set() -> None:
    read = proposal(roots=NEW_SET)
    assert ceremony.missing(read, [OLD_SET, NEW_SET]) == [(OLD_SET, 2), (NEW_SET, 2)]
    read = signed_by(read, OLD[2], NEW[0], NEW[1])
    assert ceremony.missing(read, [OLD_SET, NEW_SET]) == [(OLD_SET, 1)]
    assert ceremony.missing(signed_by(read, OLD[0]), [OLD_SET, NEW_SET]) == []


def test_a_strangers_signature_is_refused_not_passed_over() -> None:
    with pytest.raises(SignatureError):
        ceremony.missing(signed_by(proposal(), OLD[0], STRANGER), [OLD_SET])


def test_a_signature_over_something_else_is_refused() -> None:
    other = signed_by(proposal(version=6), OLD[0])
    with pytest.raises(SignatureError):
        ceremony.missing(replace(proposal(), signatures=other.signatures), [OLD_SET])


def test_what_could_not_follow_the_manifest_in_force_is_refused() -> None:
    with pytest.raises(ProtocolError):
        ceremony.in_force(proposal(version=4))
    foreign = replace(world.MANIFEST, version=9, municipality=b"granne!!", roots=OLD_SET)
    with pytest.raises(ProtocolError):
        ceremony.in_force(Ceremony(HELD, manifest.payload_of(foreign)))
    spoilt = manifest.sign(replace(world.MANIFEST, version=4, roots=OLD_SET), OLD[:1])
    with pytest.raises(SignatureError):
        ceremony.in_force(proposal(held=spoilt))


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"\x00",
        proposal().encode() + b"\x00",
        cbor.encode(["nyckelfri-statement", 1, None, proposal().payload, []]),
        cbor.encode([ceremony.NAME, 2, None, proposal().payload, []]),
        cbor.encode([ceremony.NAME, True, None, proposal().payload, []]),
        cbor.encode([ceremony.NAME, 1, None, b"", []]),
        cbor.encode([ceremony.NAME, 1, None, proposal().payload[:-1], []]),
        cbor.encode([ceremony.NAME, 1, None, proposal().payload, {}]),
        cbor.encode([ceremony.NAME, 1, None, proposal().payload, [[b"", b"0" * 64]]]),
        cbor.encode([ceremony.NAME, 1, None, proposal().payload, [[cose.protected_header(b"kid"), b"0"]]]),
        cbor.encode(
            [ceremony.NAME, 1, None, proposal().payload, [[cose.protected_header(b"kid"), b"0" * 64]] * 2]
        ),
    ],
)
def test_a_file_of_another_form_is_refused(spoilt: bytes) -> None:
    with pytest.raises(ProtocolError):
        ceremony.parse(spoilt)


class TestCommand:
    def key_file(self, folder: Path, name: str) -> Path:
        path = folder / f"{name.replace(' ', '-')}.key"
        path.write_text(seed(name).hex() + "\n")
        return path

    def file(self, folder: Path, read: Ceremony) -> Path:
        path = folder / "manifest-5.ceremony"
        path.write_bytes(read.encode())
        return path

    def test_two_holders_sign_one_after_the_other(self, tmp_path: Path) -> None:
        path = self.file(tmp_path, proposal(roots=NEW_SET))
        for name in ("old root 0", "old root 2", "new root 1", "new root 2"):
            key = self.key_file(tmp_path, name)
            assert main(["sign", str(path), "--key", str(key), "--out", str(path), "--yes"]) == 0
        read = ceremony.parse(path.read_bytes())
        assert ceremony.missing(read, [OLD_SET, NEW_SET]) == []
        assert manifest.accept(read.signed, manifest.verify(HELD, OLD_SET)).roots == NEW_SET

    def test_the_holder_reads_what_changes_and_may_say_no(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = self.file(tmp_path, proposal(roots=NEW_SET))
        before = set(tmp_path.iterdir())
        monkeypatch.setattr("builtins.input", lambda _asked: "no")
        key = self.key_file(tmp_path, "old root 0")
        assert main(["sign", str(path), "--key", str(key)]) == 1
        assert set(tmp_path.iterdir()) == before | {key}
        said = capsys.readouterr().out
        assert "4 -> 5" in said
        assert "ROOT KEYS CHANGE" in said
        assert f"new key          token     {b't2'.hex()} {TOKEN_2.public.hex()}" in said
        assert NEW_SET.fingerprint.hex() in said
        assert seed("old root 0").hex() not in said

    def test_showing_counts_the_signatures(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["show", str(self.file(tmp_path, signed_by(proposal(), OLD[0])))]) == 0
        assert "1 of 2 needed of the new roots" in capsys.readouterr().out

    def test_a_new_root_key_is_never_written_over_another(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "root.key"
        assert main(["new", str(path)]) == 0
        kept = path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert capsys.readouterr().out.strip() == manifest.root_signing_key(bytes.fromhex(kept)).public.hex()
        assert main(["new", str(path)]) == 2
        assert path.read_text() == kept

    def test_what_is_no_ceremony_or_no_key_is_refused(self, tmp_path: Path) -> None:
        path = self.file(tmp_path, proposal())
        garbage = tmp_path / "garbage"
        garbage.write_bytes(b"\xff\x00")
        assert main(["show", str(garbage)]) == 1
        assert main(["show", str(tmp_path / "nowhere")]) == 2
        assert main(["sign", str(path), "--key", str(garbage), "--yes"]) == 1
        key = self.key_file(tmp_path, "old root 0")
        foreign = replace(world.MANIFEST, version=9, municipality=b"granne!!", roots=OLD_SET)
        other = self.file(tmp_path, Ceremony(HELD, manifest.payload_of(foreign)))
        assert main(["sign", str(other), "--key", str(key), "--yes"]) == 1
