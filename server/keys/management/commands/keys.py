"""`manage.py keys`: the municipality's keys from a shell; the same verbs as the administration's page."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_scopes import scope

from server.keys.domain.following import follow
from server.keys.domain.proposing import new_roots, propose, withdraw
from server.keys.domain.publishing import publish
from server.keys.domain.restoring import after_restore
from server.keys.domain.signatures import lacking, take_signatures
from server.keys.queries import keys_in_manifest, open_draft, spread, unissued_openings
from server.problems import Problem
from server.tenancy.domain.keyring import current_manifest, root_set
from server.tenancy.models import ManifestDraft, Municipality, RoleKey


class Command(BaseCommand):
    """Show, renew, give up, sign for and bring into force."""

    help = "Keys of a municipality: status, renew, leaked, roots, import, publish, withdraw."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the municipality and what to do."""
        parser.add_argument("slug")
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("status", help="say which keys there are and how far the manifest has come")
        renew = verbs.add_parser("renew", help="propose a manifest with new keys for these roles")
        renew.add_argument("roles", nargs="+", choices=RoleKey.Role.values)
        leaked = verbs.add_parser("leaked", help="propose a manifest that gives these keys up at once")
        leaked.add_argument("kids", nargs="+", type=bytes.fromhex, metavar="KID")
        roots = verbs.add_parser("roots", help="propose a manifest with these root keys")
        roots.add_argument("public_keys", nargs="+", type=bytes.fromhex, metavar="PUBLIC")
        roots.add_argument("--threshold", type=int, default=2)
        for verb in (renew, leaked, roots):
            verb.add_argument("--out", type=Path, required=True, help="the file for the root keys' holders")
        renew.add_argument("--skip", type=int, default=0, metavar="VERSIONS", help="after a restored back-up")
        unissued = verbs.add_parser("unissued", help="list openings with tokens that nobody here issued")
        unissued.add_argument("--days", type=int, default=30)
        verbs.add_parser("restored", help="a back-up was restored: leave numbers out, issue all rights anew")
        taken = verbs.add_parser("import", help="take in files that holders of root keys have signed")
        taken.add_argument("files", nargs="+", type=Path)
        verbs.add_parser("publish", help="bring the signed manifest into force, and do what follows")
        verbs.add_parser("withdraw", help="give the proposed manifest up")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Find the municipality and do it within its scope."""
        municipality = Municipality.objects.filter(slug=options["slug"]).first()
        if municipality is None:
            raise CommandError(f"there is no municipality {options['slug']!r}")
        verbs: dict[str, Callable[[Municipality, dict[str, Any]], None]] = {
            "status": self._status,
            "renew": lambda one, said: self._propose(one, said, renew=said["roles"], skip=said["skip"]),
            "restored": self._restored,
            "unissued": self._unissued,
            "leaked": lambda one, said: self._propose(one, said, leaked=said["kids"]),
            "roots": lambda one, said: self._propose(
                one, said, roots=new_roots(said["public_keys"], said["threshold"])
            ),
            "import": self._import,
            "publish": self._publish,
            "withdraw": self._withdraw,
        }
        with scope(municipality=municipality):
            try:
                verbs[options["verb"]](municipality, options)
            except Problem as problem:
                raise CommandError(f"{problem.code}: {problem.as_dict()['message_en']}") from problem
            except OSError as error:
                raise CommandError(f"cannot use {error.filename}: {error.strerror}") from error

    def _status(self, municipality: Municipality, _options: dict[str, Any]) -> None:
        held, _document = current_manifest(municipality)
        self.stdout.write(f"manifest {held.version}, roots {root_set(municipality).fingerprint.hex()}")
        for key in keys_in_manifest(municipality.pk):
            state = "superseded" if key.superseded_at else "in use"
            self.stdout.write(f"  {key.role:<9} {bytes(key.kid).hex()} {key.keeper:<9} {state}")
        for one in spread(municipality.pk):
            self.stdout.write(f"manifest {one.version}: {one.locks} locks, {one.phones} phones")
        draft = open_draft(municipality.pk)
        if draft is not None:
            self._say_lacking(draft)

    def _say_lacking(self, draft: ManifestDraft) -> None:
        for roots, number in lacking(draft):
            self.stdout.write(
                f"manifest {draft.version} waits: {number} more of roots {roots.fingerprint.hex()}"
            )
        if not lacking(draft):
            self.stdout.write(f"manifest {draft.version} is signed and waits to be published")

    def _propose(self, municipality: Municipality, options: dict[str, Any], **what: Any) -> None:
        draft = propose(municipality=municipality, at=timezone.now(), **what)
        options["out"].write_bytes(bytes(draft.document))
        self.stdout.write(f"manifest {draft.version} is proposed: {options['out']}")
        self._say_lacking(draft)

    def _import(self, municipality: Municipality, options: dict[str, Any]) -> None:
        draft = self._draft(municipality)
        for path in options["files"]:
            new = take_signatures(draft=draft, file=path.read_bytes(), at=timezone.now())
            self.stdout.write(f"{path}: {new} new signatures")
        self._say_lacking(self._draft(municipality))

    def _publish(self, municipality: Municipality, _options: dict[str, Any]) -> None:
        made = publish(draft=self._draft(municipality), at=timezone.now())
        self.stdout.write(f"manifest {made.version} is in force")
        done = follow(Municipality.objects.get(pk=municipality.pk), at=timezone.now())
        self.stdout.write(f"{done} things signed anew")

    def _unissued(self, municipality: Municipality, options: dict[str, Any]) -> None:
        since = timezone.now() - timedelta(days=options["days"])
        found = unissued_openings(municipality.pk, since=since)
        for one in found:
            self.stdout.write(f"{one.happened_at:%Y-%m-%d %H:%M:%S} {one.lock} phone {one.detail['phone']}")
        self.stdout.write(f"{len(found)} openings with tokens that this server never issued")

    def _restored(self, municipality: Municipality, _options: dict[str, Any]) -> None:
        locks = after_restore(municipality=municipality, at=timezone.now())
        self.stdout.write(f"{locks} locks get a bulletin that none of them has seen")

    def _withdraw(self, municipality: Municipality, _options: dict[str, Any]) -> None:
        draft = self._draft(municipality)
        withdraw(draft=draft, at=timezone.now())
        self.stdout.write(f"manifest {draft.version} is withdrawn")

    @staticmethod
    def _draft(municipality: Municipality) -> ManifestDraft:
        draft = open_draft(municipality.pk)
        if draft is None:
            raise CommandError("no manifest waits for signatures")
        return draft
