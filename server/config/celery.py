"""The Celery application; tasks are idempotent sweeps over database state."""

from __future__ import annotations

from celery import Celery

app = Celery("nyckelfri")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
