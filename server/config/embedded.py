"""Celery inside the server's own process: a worker thread and a beat thread, stopped cleanly."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import celery.worker.state
from celery import Celery
from celery.beat import EmbeddedService
from celery.worker import WorkController

READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
CONCURRENCY = 2
WAKING = "celery.backend_cleanup"
"""A task of Celery's own that has nothing to do where no results are kept."""


class EmbeddedTasks:
    """Worker and beat as threads; made for one start and one stop."""

    def __init__(self, app: Celery) -> None:
        self.app = app
        self.ready = threading.Event()
        self.worker: WorkController | None = None
        self.thread = threading.Thread(target=self._work, name="celery-worker", daemon=True)
        self.beat: Any = None

    def start(self) -> None:
        """Start both, and drive every sweep once: what was queued when the last process died is redone."""
        self.app.conf.task_always_eager = False
        self.app.loader.import_default_modules()
        self.app.finalize()
        self._drop_unknown_schedules()
        self.thread.start()
        if not self.ready.wait(READY_TIMEOUT_S):
            raise RuntimeError("the Celery worker did not get ready")
        # The plain scheduler keeps its times in memory: the schedule is static and sweeps are idempotent.
        self.beat = EmbeddedService(self.app, 5, thread=True, scheduler_cls="celery.beat:Scheduler")
        self.beat.start()
        for entry in self.app.conf.beat_schedule.values():
            self.app.send_task(entry["task"])

    def stop(self) -> None:
        """Let running tasks finish and end both threads."""
        celery.worker.state.should_stop = 0
        self.app.send_task(WAKING)  # the worker looks at the flag when work comes, else every other second
        if self.beat is not None:
            self.beat.stop()
        self.thread.join(STOP_TIMEOUT_S)

    def _work(self) -> None:
        self.worker = WorkController(
            app=self.app,
            pool_cls="threads",
            concurrency=CONCURRENCY,
            hostname="embedded@localhost",
            ready_callback=lambda _consumer: self.ready.set(),
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self.worker.start()

    def _drop_unknown_schedules(self) -> None:
        schedule: dict[str, dict[str, str | timedelta]] = self.app.conf.beat_schedule
        self.app.conf.beat_schedule = {
            name: entry for name, entry in schedule.items() if entry["task"] in self.app.tasks
        }
