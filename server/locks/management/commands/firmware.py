"""`manage.py firmware`: sign an image, if the server's keeper has the key, publish a release, list them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_scopes import scope

from server.locks.domain.firmware import publish, sign_release
from server.locks.models import FirmwareRelease, Lock
from server.problems import Problem
from server.tenancy.domain.keyring import KeyMissingError
from server.tenancy.models import Municipality


class Command(BaseCommand):
    """Releases of the locks' own program."""

    help = "Sign, publish and list the releases that installers' phones carry to locks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb with a file, or none to list."""
        parser.add_argument("municipality", help="its short name")
        parser.add_argument("verb", choices=["list", "publish", "sign"])
        parser.add_argument("file", type=Path, nargs="?", help="release to publish, or image to sign")
        parser.add_argument("--model", help="what the image runs on, such as linux-python-1")
        parser.add_argument("--number", type=int, help="the new version")
        parser.add_argument("--security", type=int, default=1, help="its security version (default: 1)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it in the municipality's scope."""
        municipality = Municipality.objects.filter(slug=options["municipality"]).first()
        if municipality is None:
            raise CommandError(f"there is no municipality {options['municipality']!r}")
        if options["verb"] != "list" and options["file"] is None:
            raise CommandError("name a file")
        try:
            with scope(municipality=municipality.pk):
                getattr(self, f"_{options['verb']}")(municipality, options)
        except Problem as problem:
            raise CommandError(problem.as_dict()["message_en"]) from problem
        except (KeyMissingError, OSError) as error:
            raise CommandError(str(error)) from error

    def _list(self, _municipality: Municipality, _options: dict[str, Any]) -> None:
        for release in FirmwareRelease.objects.defer("image"):
            runs = Lock.objects.filter(firmware_version=str(release.version)).count()
            state = "withdrawn" if release.withdrawn_at else "published"
            self.stdout.write(f"{release.model} {release.version}: {state}, run by {runs} locks")

    def _publish(self, municipality: Municipality, options: dict[str, Any]) -> None:
        made = publish(municipality=municipality, file=options["file"].read_bytes(), at=timezone.now())
        self.stdout.write(f"published {made}, SHA-256 {bytes(made.digest).hex()}")

    def _sign(self, municipality: Municipality, options: dict[str, Any]) -> None:
        if options["model"] is None or options["number"] is None:
            raise CommandError("say --model and --number")
        image: Path = options["file"]
        signed = sign_release(
            municipality=municipality,
            image=image.read_bytes(),
            model=options["model"],
            version=options["number"],
            security=options["security"],
            at=timezone.now(),
        )
        target = image.with_suffix(".release")
        target.write_bytes(signed)
        self.stdout.write(f"signed {target}")
