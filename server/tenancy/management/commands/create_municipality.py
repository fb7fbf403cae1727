"""`manage.py create_municipality`: found a municipality and hand out its root keys as files."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from protocol import manifest
from server.tenancy.domain.keyring import root_set
from server.tenancy.domain.keys import found_municipality
from server.tenancy.models import Municipality


class Command(BaseCommand):
    """Found a municipality; its three root keys go to files, never to the database."""

    help = "Found a municipality: role keys, manifest 1, and three root keys written to files of mode 0600."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take slug, name and the folder for the root keys."""
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("--roots-out", required=True, type=Path, metavar="DIR")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the key files first: no municipality exists whose roots were not kept."""
        if Municipality.objects.filter(slug=options["slug"]).exists():
            raise CommandError(f"there is a municipality {options['slug']!r} already")
        folder: Path = options["roots_out"]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        seeds = [os.urandom(32) for _number in range(3)]
        for seed in seeds:
            self._write(folder, options["slug"], seed)
        founding = found_municipality(
            slug=options["slug"], name=options["name"], at=timezone.now(), root_seeds=seeds
        )
        fingerprint = root_set(founding.municipality).fingerprint.hex()
        self.stdout.write(f"{options['name']}: root fingerprint {fingerprint}")
        self.stdout.write(
            f"Root keys are in {folder}. Move each to a different person, then delete them here."
        )

    @staticmethod
    def _write(folder: Path, slug: str, seed: bytes) -> None:
        kid = manifest.root_signing_key(seed).kid.hex()
        path = folder / f"{slug}-root-{kid}.key"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"cannot write {path}: {error.strerror}") from error
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(seed.hex() + "\n")
