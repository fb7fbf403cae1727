"""People and what they carry: users, care providers, teams, staff, phones, bearers, enrolment codes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.people.roles import Role
from server.tenancy.base import ImportedModel, TenantModel, ends_after_start
from server.tenancy.fields import BytesField, has_length
from server.tenancy.scoping import Viewer


class User(AbstractUser):
    """A sign-in. Belongs to one municipality; without one only the operator of the whole server."""

    municipality = models.ForeignKey(
        "tenancy.Municipality",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("municipality"),
    )
    role = models.CharField(
        _("role"),
        max_length=20,
        choices=Role,
        blank=True,
        default="",
        help_text=_("What the person does here. Empty: signs in on a phone only."),
    )
    provider = models.ForeignKey(
        "people.CareProvider",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="coordinators",
        verbose_name=_("care provider"),
        help_text=_("A coordinator's own provider; nothing of any other is seen."),
    )
    owner = models.ForeignKey(
        "places.PropertyOwner",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="contacts",
        verbose_name=_("property owner"),
        help_text=_("The owner whose properties and consents the contact sees."),
    )

    # What somebody may do follows from the role, in code: server.people.roles.
    groups = None  # type: ignore[assignment]
    user_permissions = None  # type: ignore[assignment]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=models.Q(role="coordinator", provider__isnull=False, owner__isnull=True)
                | models.Q(role="owner_contact", provider__isnull=True, owner__isnull=False)
                | ~models.Q(role__in=["coordinator", "owner_contact"])
                & models.Q(provider__isnull=True, owner__isnull=True),
                name="user_role_has_its_part",
                violation_error_message=_(
                    "A coordinator needs a care provider, a property owner's contact an owner, "
                    "and nobody else has either."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(role="") | models.Q(municipality__isnull=False),
                name="user_role_within_a_municipality",
                violation_error_message=_("A role is held in a municipality."),
            ),
            models.CheckConstraint(
                condition=models.Q(is_superuser=False) | ~models.Q(role__in=["coordinator", "owner_contact"]),
                name="user_administrator_sees_all",
                violation_error_message=_(
                    "An administrator sees the whole municipality and cannot also be a coordinator "
                    "or an owner's contact."
                ),
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Let everybody with a role into the administration; what they may do there follows the role."""
        if (self.role or self.is_superuser) and not self.is_staff:
            self.is_staff = True
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "is_staff"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """The provider or owner must be the own municipality's; users are no tenant rows."""
        super().clean()
        for name in ("provider", "owner"):
            part = getattr(self, name)
            if part is not None and part.municipality_id != self.municipality_id:
                raise ValidationError({name: _("This belongs to another municipality.")})

    @property
    def viewer(self) -> Viewer | None:
        """Whose eyes this person sees with: one provider's, one owner's, or (None) the municipality's."""
        if self.role == Role.COORDINATOR:
            return Viewer(provider=self.provider_id)
        return Viewer(owner=self.owner_id) if self.role == Role.OWNER_CONTACT else None


class CareProvider(ImportedModel):
    """A municipal or private home-care company."""

    class Kind(models.TextChoices):
        MUNICIPAL = "municipal", _("municipal")
        PRIVATE = "private", _("private")

    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.MUNICIPAL)
    active = models.BooleanField(_("active"), default=True)

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("care provider")
        verbose_name_plural = _("care providers")
        ordering = ["name"]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            models.UniqueConstraint(fields=["municipality", "name"], name="careprovider_unique_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Team(ImportedModel):
    """A provider's working group or area; rights follow the team of the shift."""

    provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="teams", verbose_name=_("care provider")
    )
    name = models.CharField(_("name"), max_length=100)

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["provider__name", "name"]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            models.UniqueConstraint(fields=["provider", "name"], name="team_unique_name"),
        ]

    def __str__(self) -> str:
        return self.name


class StaffMember(ImportedModel):
    """Somebody who works with the phone. No personal identity number, ever."""

    provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="staff", verbose_name=_("care provider")
    )
    user = models.OneToOneField(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="staff_member",
        verbose_name=_("sign-in"),
        help_text=_("The user this person signs in with on the phone."),
    )
    name = models.CharField(_("name"), max_length=100)
    employed_from = models.DateField(_("employed from"))
    employed_to = models.DateField(
        _("employed to"),
        null=True,
        blank=True,
        help_text=_("The last day, included. No key lives beyond it."),
    )

    class Meta(ImportedModel.Meta):
        abstract = False
        verbose_name = _("staff member")
        verbose_name_plural = _("staff members")
        ordering = ["name"]
        constraints: ClassVar[list[Any]] = [
            *ImportedModel.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(employed_to__isnull=True)
                | models.Q(employed_to__gte=models.F("employed_from")),
                name="staffmember_employment_in_order",
                violation_error_message=_("The end must be after the start."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """The sign-in must be the own municipality's; users are not tenant rows, so it is looked at here."""
        super().clean()
        if self.user is not None and self.user.municipality_id != self.municipality_id:
            raise ValidationError({"user": _("This belongs to another municipality.")})


class Phone(TenantModel):
    """A work phone, known by a device token that only the phone has (we keep its SHA-256)."""

    label = models.CharField(_("label"), max_length=60, blank=True, default="")
    device_token_hash = BytesField(_("device token hash"), max_length=32, unique=True)
    is_pool = models.BooleanField(
        _("pool phone"), default=False, help_text=_("Used by several people, each with a vault of their own.")
    )
    model = models.CharField(_("model"), max_length=80, blank=True, default="")
    app_version = models.CharField(_("app version"), max_length=20, blank=True, default="")
    enrolled_at = models.DateTimeField(_("enrolled"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        ordering = ["-enrolled_at"]
        constraints = [has_length("phone_token_hash_32_bytes", "device_token_hash", 32)]

    def __str__(self) -> str:
        return self.label or f"{self.model} {self.pk}"


class PhoneContact(TenantModel):
    """When a phone was last heard from; its own table, since every call writes it."""

    phone = models.OneToOneField(
        Phone, on_delete=models.CASCADE, related_name="contact", verbose_name=_("phone")
    )
    last_seen_at = models.DateTimeField(_("last seen"))
    last_sync_at = models.DateTimeField(_("last sync"), null=True, blank=True)
    last_logs_at = models.DateTimeField(_("last logs handed in"), null=True, blank=True)
    pokes = models.PositiveIntegerField(_("pokes"), default=0, editable=False)
    """How often it was told that there is news: a websocket that missed one finds out by this."""

    class Meta:
        verbose_name = _("phone contact")
        verbose_name_plural = _("phone contacts")
        ordering = ["-last_seen_at"]

    def __str__(self) -> str:
        return f"{self.phone_id} {self.last_seen_at:%Y-%m-%d %H:%M}"


class Bearer(TenantModel):
    """A person on a phone, with a key pair made on that phone; tokens are bound to its public key."""

    class KeyType(models.IntegerChoices):
        X25519 = 1, "X25519"
        P256 = 2, _("P-256, in the phone's hardware")

    staff = models.ForeignKey(
        StaffMember, on_delete=models.PROTECT, related_name="bearers", verbose_name=_("staff member")
    )
    phone = models.ForeignKey(
        Phone, on_delete=models.PROTECT, related_name="bearers", verbose_name=_("phone")
    )
    key_type = models.PositiveSmallIntegerField(_("key type"), choices=KeyType, default=KeyType.X25519)
    public_key = BytesField(_("public key"), max_length=65)
    fingerprint = BytesField(_("fingerprint"), max_length=8)
    manifest_version = models.PositiveIntegerField(
        _("key manifest on the phone"), default=0, help_text=_("As its last synchronisation told.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("bearer")
        verbose_name_plural = _("bearers")
        ordering = ["staff__name", "-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "fingerprint"], name="bearer_unique_fingerprint"),
            models.UniqueConstraint(fields=["public_key"], name="bearer_unique_public_key"),
            models.UniqueConstraint(
                fields=["staff", "phone"],
                condition=models.Q(revoked_at__isnull=True),
                name="bearer_one_active_per_staff_and_phone",
            ),
            has_length("bearer_fingerprint_8_bytes", "fingerprint", 8),
        ]

    def __str__(self) -> str:
        return f"{self.staff} · {self.phone}"


class EnrolmentCode(TenantModel):
    """A one-time code that turns a phone into a bearer; only its hash is kept."""

    staff = models.ForeignKey(
        StaffMember, on_delete=models.CASCADE, related_name="enrolment_codes", verbose_name=_("staff member")
    )
    code_hash = BytesField(_("code hash"), max_length=32, unique=True)
    for_pool_phone = models.BooleanField(_("pool phone"), default=False)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    used_by = models.ForeignKey(
        Bearer, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("used by")
    )

    class Meta:
        verbose_name = _("enrolment code")
        verbose_name_plural = _("enrolment codes")
        ordering = ["-created_at"]
        constraints = [
            has_length("enrolmentcode_hash_32_bytes", "code_hash", 32),
            ends_after_start("enrolmentcode_expires_after_creation", "created_at", "expires_at"),
        ]

    def __str__(self) -> str:
        return f"{self.staff} {self.created_at:%Y-%m-%d %H:%M}"
