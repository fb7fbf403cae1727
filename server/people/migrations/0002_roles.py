"""Roles in place of ranks, groups and permissions.

Installers keep what they could. Who had single permissions has no role afterwards and can do nothing until an
administrator gives one: no role in the table equals a hand-picked set, and a guess could give more than was had.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def installers_get_the_role(apps: Any, _schema_editor: Any) -> None:
    """Give the role to who had the mark; without a municipality the mark never let anybody do anything."""
    users = apps.get_model("people", "User").objects
    users.filter(is_installer=True, municipality__isnull=False).update(role="installer", is_staff=True)


def installers_get_the_mark_back(apps: Any, _schema_editor: Any) -> None:
    """Give the mark to who had the role."""
    apps.get_model("people", "User").objects.filter(role="installer").update(is_installer=True)


class Migration(migrations.Migration):
    """Add the role with its provider or owner, and move installers over."""

    dependencies = [
        ("people", "0001_initial"),
        ("places", "0001_initial"),
        ("tenancy", "0002_retention_bounds"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="role",
            field=models.CharField(
                blank=True,
                choices=[
                    ("patrol", "patrol"),
                    ("coordinator", "coordinator"),
                    ("installer", "installer"),
                    ("auditor", "auditor"),
                    ("owner_contact", "property owner's contact"),
                ],
                default="",
                help_text="What the person does here. Empty: signs in on a phone only.",
                max_length=20,
                verbose_name="role",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="provider",
            field=models.ForeignKey(
                blank=True,
                help_text="A coordinator's own provider; nothing of any other is seen.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="coordinators",
                to="people.careprovider",
                verbose_name="care provider",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                help_text="The owner whose properties and consents the contact sees.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="places.propertyowner",
                verbose_name="property owner",
            ),
        ),
        migrations.RunPython(installers_get_the_role, installers_get_the_mark_back),
    ]
