"""Where the doors are: property owners, properties, doors with their fallback, and the way to a door."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.tenancy.base import ImportedModel, TenantModel


class PropertyOwner(ImportedModel):
    """Who must consent to locks on gates and common rooms."""

    name = models.CharField(_("name"), max_length=120)
    contact_phone = models.CharField(_("telephone"), max_length=32, blank=True, default="")
    contact_email = models.EmailField(_("e-mail"), blank=True, default="")

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("property owner")
        verbose_name_plural = _("property owners")
        ordering = ["name"]
        permissions = [("view_own_portfolio", _("May see the page of an owner's own properties"))]

    def __str__(self) -> str:
        return self.name


class Property(ImportedModel):
    """One property (fastighet) of an owner; a portfolio consent covers those the owner had when signing.

    Properties that came later are covered only when the consent says so (`server.care.rules.covers`).
    """

    owner = models.ForeignKey(
        PropertyOwner, on_delete=models.PROTECT, related_name="properties", verbose_name=_("property owner")
    )
    designation = models.CharField(_("property designation"), max_length=120)
    area = models.CharField(_("area"), max_length=60, blank=True, default="")
    owner_since = models.DateField(
        _("the owner's since"),
        null=True,
        blank=True,
        default=timezone.localdate,
        help_text=_(
            "An older consent for all of the owner's properties covers this one only if it says that it also "
            "covers properties added later. Empty: for as long as anybody knows."
        ),
    )

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("property")
        verbose_name_plural = _("properties")
        ordering = ["designation"]
        indexes = [models.Index(fields=["municipality", "area"], name="property_area")]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["municipality", "designation"], name="property_unique_designation"
            ),
        ]

    def __str__(self) -> str:
        return self.designation


class Door(ImportedModel):
    """A door and its fallback: how to get in without the phone."""

    class Kind(models.TextChoices):
        APARTMENT = "apartment", _("apartment")
        GATE = "gate", _("gate")
        LAUNDRY = "laundry", _("laundry")
        COMMON = "common", _("common room")
        PRACTICE = "practice", _("practice place")
        """Where a practice lock sits, in an office: no door behind it, and nobody's consent needed."""

    class Signatory(models.TextChoices):
        RESIDENT = "resident", _("resident")
        REPRESENTATIVE = "representative", _("legal representative")
        OWNER = "owner", _("property owner")

    class Fallback(models.TextChoices):
        NONE = "", _("not recorded")
        RESERVE_KEY = "reserve_key", _("reserve key")
        LOCKSMITH = "locksmith", _("locksmith")
        CARETAKER = "caretaker", _("caretaker")
        PATROL = "patrol", _("the patrol has a key")

    property = models.ForeignKey(
        Property, on_delete=models.PROTECT, related_name="doors", verbose_name=_("property")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    address = models.CharField(_("address"), max_length=120)
    entrance = models.CharField(_("entrance"), max_length=20, blank=True, default="")
    floor = models.CharField(_("floor"), max_length=10, blank=True, default="")
    number = models.CharField(_("apartment number"), max_length=10, blank=True, default="")
    must_sign = models.CharField(
        _("who must sign"),
        max_length=14,
        choices=Signatory,
        blank=True,
        default="",
        help_text=_(
            "Whose consent the door needs. Gates and common rooms always need the property owner's; a "
            "practice place needs nobody's, so leave it empty there."
        ),
    )
    practice_for = models.ForeignKey(
        "people.CareProvider",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("practice place of"),
        help_text=_("Only for a practice place. Empty: the staff of every care provider may practise there."),
    )
    fallback_kind = models.CharField(
        _("way in without the phone"), max_length=12, choices=Fallback, blank=True, default=Fallback.NONE
    )
    fallback_place = models.CharField(
        _("where the way in is found"),
        max_length=120,
        blank=True,
        default="",
        help_text=_("A place, such as a key cabinet. Never a person's name."),
    )
    fallback_phone = models.CharField(_("telephone for the way in"), max_length=32, blank=True, default="")
    fallback_hours = models.CharField(_("hours of the way in"), max_length=60, blank=True, default="")
    relock_seconds = models.PositiveSmallIntegerField(
        _("seconds until it locks again"),
        null=True,
        blank=True,
        validators=[MinValueValidator(60), MaxValueValidator(3600)],
        help_text=_("Apartments only. Empty: after five minutes."),
    )
    hold_seconds = models.PositiveSmallIntegerField(
        _("seconds a gate stays open"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("Gates only: how long the strike stays released. Empty: five seconds."),
    )
    opens_with_last_energy = models.BooleanField(
        _("opens with the last of the battery"),
        default=True,
        help_text=_(
            "Otherwise the lock keeps the last of its battery for locking, and then refuses to open. Knob "
            "and metal key always work."
        ),
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("door")
        verbose_name_plural = _("doors")
        ordering = ["address", "kind", "floor", "number"]
        indexes = [models.Index(fields=["municipality", "address"], name="door_address")]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(kind__in=["apartment", "practice"]) | models.Q(must_sign="owner"),
                name="door_shared_needs_owner",
                violation_error_message=_("Gates and common rooms need the property owner's consent."),
            ),
            models.CheckConstraint(
                condition=models.Q(kind="practice", must_sign="")
                | ~models.Q(kind="practice") & ~models.Q(must_sign=""),
                name="door_only_practice_needs_nobody",
                violation_error_message=_("Say who must sign; only for a practice place nobody has to."),
            ),
            models.CheckConstraint(
                condition=models.Q(practice_for__isnull=True) | models.Q(kind="practice"),
                name="door_practice_for_is_for_practice",
                violation_error_message=_("Only a practice place can belong to one care provider."),
            ),
        ]

    def __str__(self) -> str:
        where = f"{self.address} {self.entrance}".rstrip()
        return f"{where}, {self.get_kind_display()} {self.number}".rstrip()

    def clean(self) -> None:
        """What only some kinds of door have; and a real door never turns into a practice place."""
        super().clean()
        before = Door.objects.filter(pk=self.pk).values_list("kind", flat=True).first() if self.pk else None
        if before is not None and (before == self.Kind.PRACTICE) != (self.kind == self.Kind.PRACTICE):
            raise ValidationError(
                {"kind": _("A door never becomes a practice place, nor the other way round. Add a new one.")}
            )
        if self.relock_seconds is not None and self.kind != Door.Kind.APARTMENT:
            raise ValidationError({"relock_seconds": _("Only apartment doors lock again by themselves.")})
        if self.hold_seconds is not None and self.kind != Door.Kind.GATE:
            raise ValidationError({"hold_seconds": _("Only gates have a strike that is held.")})


class DoorPath(TenantModel):
    """A gate or common door on the way to an apartment door."""

    apartment = models.ForeignKey(
        Door, on_delete=models.CASCADE, related_name="path", verbose_name=_("apartment door")
    )
    via = models.ForeignKey(
        Door, on_delete=models.PROTECT, related_name="leads_to", verbose_name=_("on the way")
    )
    order = models.PositiveSmallIntegerField(_("order"), default=1)

    class Meta:
        verbose_name = _("door on the way")
        verbose_name_plural = _("doors on the way")
        ordering = ["apartment", "order"]
        constraints = [
            models.UniqueConstraint(fields=["apartment", "via"], name="doorpath_unique_via"),
            models.CheckConstraint(
                condition=~models.Q(apartment=models.F("via")),
                name="doorpath_not_itself",
                violation_error_message=_("A door does not lie on the way to itself."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.via} → {self.apartment}"
