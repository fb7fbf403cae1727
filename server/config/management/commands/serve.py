"""`manage.py serve`: the whole server in one process, for a pilot, a demonstration, a small municipality."""

from __future__ import annotations

import signal
import socket
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.config.celery import app
from server.config.embedded import EmbeddedTasks
from server.tenancy.models import Municipality

GRACEFUL_SHUTDOWN_S = 5
STARTED = actions.register("server.started", _("the server started"))
STOPPED = actions.register("server.stopped", _("the server stopped"))
"""With them an auditor can see when the server was away, and that doors opened meanwhile."""


def record_for_everybody(action: str) -> None:
    """Write an entry in every municipality's audit trail."""
    for municipality in Municipality.objects.all():
        record(action=action, target=municipality)


class AnnouncingServer(uvicorn.Server):
    """Says its address once it really answers; a script may wait for that line."""

    announce: Any = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then announce."""
        await super().startup(sockets)
        if self.started:
            self.announce()


class Command(BaseCommand):
    """Migrate, then run web server, websockets, task worker and scheduler until told to stop."""

    help = "Migrates the database, then serves HTTP and websockets with the task worker inside."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="0 takes any free one")
        parser.add_argument("--no-tasks", action="store_true", help="worker and scheduler run elsewhere")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT; requests and tasks under way are finished first."""
        call_command("migrate", interactive=False, verbosity=0)
        listener = self._listen(options["host"], options["port"])
        # uvicorn raises the signal again once it has drained; these keep that from killing the worker midway.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        tasks = None if options["no_tasks"] else EmbeddedTasks(app)
        try:
            if tasks is not None:
                tasks.start()
            self._serve(listener)
        finally:
            if tasks is not None:
                tasks.stop()
            record_for_everybody(STOPPED)
        self.stdout.write("Nyckelfri har stannat.")

    @staticmethod
    def _listen(host: str, port: int) -> socket.socket:
        try:
            return socket.create_server((host, port))
        except OSError as error:
            raise CommandError(f"Det går inte att lyssna på {host}:{port}: {error.strerror}") from error

    def _serve(self, listener: socket.socket) -> None:
        config = uvicorn.Config(
            "server.config.asgi:application",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.ALLAUTH_TRUSTED_PROXY_COUNT),
            ws="websockets-sansio",
            timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        )
        host, port = listener.getsockname()[:2]
        server = AnnouncingServer(config)
        record_for_everybody(STARTED)
        server.announce = lambda: self._say(f"Nyckelfri svarar på http://{host}:{port}/")
        server.run(sockets=[listener])

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
