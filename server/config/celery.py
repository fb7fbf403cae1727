"""The Celery application; tasks are idempotent sweeps over database state."""

from __future__ import annotations

import os

from celery import Celery

# A worker started by Celery's own command has nobody else to say which settings hold.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.config.settings")

app = Celery("nyckelfri")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
