"""Drop what roles replace, and what the database itself refuses about them.

A migration of its own: PostgreSQL cannot alter a table in the transaction that has just changed its rows.
"""

from __future__ import annotations

from django.db import migrations, models

NARROW = ["coordinator", "owner_contact"]


class Migration(migrations.Migration):
    """Drop marks, groups and permissions; add the constraints."""

    dependencies = [("people", "0002_roles")]

    operations = [
        migrations.RemoveField(model_name="user", name="groups"),
        migrations.RemoveField(model_name="user", name="is_installer"),
        migrations.RemoveField(model_name="user", name="user_permissions"),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(role="coordinator", provider__isnull=False, owner__isnull=True)
                | models.Q(role="owner_contact", provider__isnull=True, owner__isnull=False)
                | ~models.Q(role__in=NARROW) & models.Q(provider__isnull=True, owner__isnull=True),
                name="user_role_has_its_part",
                violation_error_message=(
                    "A coordinator needs a care provider, a property owner's contact an owner, "
                    "and nobody else has either."
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(role="") | models.Q(municipality__isnull=False),
                name="user_role_within_a_municipality",
                violation_error_message="A role is held in a municipality.",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(is_superuser=False) | ~models.Q(role__in=NARROW),
                name="user_administrator_sees_all",
                violation_error_message=(
                    "An administrator sees the whole municipality and cannot also be a coordinator "
                    "or an owner's contact."
                ),
            ),
        ),
    ]
