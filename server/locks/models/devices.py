"""Locks, their bindings to doors, what the server tells them and how far their logs are receipted."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.people.models import CareProvider
from server.places.models import Door
from server.tenancy.base import TenantModel, ends_after_start
from server.tenancy.fields import BytesField, has_length


class Lock(TenantModel):
    """The device. Only its public keys are here; the secret halves never leave it."""

    class State(models.TextChoices):
        REGISTERED = "registered", _("registered")
        MOUNTED = "mounted", _("mounted")
        REMOVED = "removed", _("removed")
        RETIRED = "retired", _("retired")

    name = models.CharField(_("name"), max_length=40, help_text=_("The label on the device."))
    lock_id = BytesField(_("lock id"), max_length=8, unique=True)
    static_public_key = BytesField(_("static public key"), max_length=32)
    log_public_key = BytesField(_("log public key"), max_length=32)
    seal_public_key = BytesField(_("sealing public key"), max_length=32)
    protocol_version = models.PositiveSmallIntegerField(_("protocol version"), default=1)
    suites = models.PositiveSmallIntegerField(
        _("handshake suites"),
        default=1,
        help_text=_(
            "As the lock states itself; 1 = software keys, 2 = keys in the phone's hardware, 3 = both."
        ),
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REGISTERED)
    is_practice = models.BooleanField(
        _("practice lock"),
        default=False,
        help_text=_(
            "For a practice place only, never for a real door: it need not move a bolt. A lock that is first "
            "commissioned at a practice place gets the mark by itself."
        ),
    )
    firmware_version = models.CharField(_("firmware version"), max_length=20, blank=True, default="")
    registered_at = models.DateTimeField(_("registered"), auto_now_add=True)

    class Meta:
        verbose_name = _("lock")
        verbose_name_plural = _("locks")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "name"], name="lock_unique_name"),
            has_length("lock_id_8_bytes", "lock_id", 8),
            has_length("lock_static_key_32_bytes", "static_public_key", 32),
            has_length("lock_log_key_32_bytes", "log_public_key", 32),
            has_length("lock_seal_key_32_bytes", "seal_public_key", 32),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """The mark is not changed while the lock sits somewhere: door and lock must fit each other."""
        super().clean()
        here = Binding.objects.filter(lock=self.pk, ends_at__isnull=True).select_related("door").first()
        if here is not None and self.is_practice != (here.door.kind == Door.Kind.PRACTICE):
            raise ValidationError({"is_practice": _("Take the lock down first.")})


class LockStatus(TenantModel):
    """What a lock last told about itself; its own table, since every batch writes it."""

    lock = models.OneToOneField(Lock, on_delete=models.CASCADE, related_name="status", verbose_name=_("lock"))
    last_contact_at = models.DateTimeField(_("last contact"), null=True, blank=True)
    last_passage_at = models.DateTimeField(_("last passage"), null=True, blank=True)
    battery_percent = models.PositiveSmallIntegerField(_("battery, %"), null=True, blank=True)
    battery_at = models.DateTimeField(_("battery level as of"), null=True, blank=True)
    battery_changed_at = models.DateTimeField(
        _("batteries changed"), null=True, blank=True, help_text=_("As an installer reported it.")
    )
    battery_changed_boot = models.BigIntegerField(
        _("boot number when the batteries were changed"),
        null=True,
        blank=True,
        help_text=_("A higher one in the log shows that the lock did lose its power."),
    )
    clock_uncertain = models.BooleanField(_("clock uncertain"), default=False)
    clock_offset_s = models.IntegerField(_("clock offset, s"), null=True, blank=True)
    clock_ppm = models.IntegerField(_("clock correction, ppm"), null=True, blank=True)
    bulletin_seq = models.BigIntegerField(_("newest bulletin in the lock"), default=0)
    boot = models.BigIntegerField(_("boot number"), null=True, blank=True)
    manifest_version = models.PositiveIntegerField(
        _("key manifest in the lock"), default=0, help_text=_("The newest one that its log confirms.")
    )

    class Meta:
        verbose_name = _("lock status")
        verbose_name_plural = _("lock statuses")
        ordering = ["-last_contact_at"]
        indexes = [
            models.Index(fields=["municipality", "last_contact_at"], name="lockstatus_contact"),
            models.Index(fields=["municipality", "battery_percent"], name="lockstatus_battery"),
            models.Index(
                fields=["municipality"],
                condition=models.Q(clock_uncertain=True),
                name="lockstatus_uncertain",
            ),
        ]

    def __str__(self) -> str:
        return str(self.lock)


class Binding(TenantModel):
    """One lock on one door, from and to; tokens are for a binding, so a move ends them all."""

    binding_id = BytesField(_("binding id"), max_length=8, unique=True)
    lock = models.ForeignKey(Lock, on_delete=models.PROTECT, related_name="bindings", verbose_name=_("lock"))
    door = models.ForeignKey(Door, on_delete=models.PROTECT, related_name="bindings", verbose_name=_("door"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"), null=True, blank=True)
    commissioned_at = models.DateTimeField(
        _("confirmed by the lock"), null=True, blank=True, help_text=_("Empty until the lock took it in.")
    )
    sealed_adv_key = BytesField(_("advert key, sealed"))
    sealed_adv_key_next = BytesField(_("next advert key, sealed"), null=True, blank=True)
    adv_key_next_at = models.DateTimeField(
        _("next advert key given out since"),
        null=True,
        blank=True,
        help_text=_("To phones, beside the old one."),
    )
    adv_key_released_at = models.DateTimeField(
        _("next advert key on its way"), null=True, blank=True, help_text=_("In the lock's bulletins since.")
    )
    adv_key_rotated_at = models.DateTimeField(_("advert key rotated"), null=True, blank=True)
    manifest_version = models.PositiveIntegerField(
        _("manifest commissioned with"), default=1, help_text=_("The version in its package.")
    )
    commission_document = BytesField(_("commissioning document"), null=True, blank=True)
    lock_record = BytesField(_("signed lock record"), null=True, blank=True)

    class Meta:
        verbose_name = _("binding")
        verbose_name_plural = _("bindings")
        ordering = ["-starts_at"]
        indexes = [
            models.Index(
                fields=["municipality", "starts_at"],
                condition=models.Q(commissioned_at__isnull=True, ends_at__isnull=True),
                name="binding_unconfirmed",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["lock"], condition=models.Q(ends_at__isnull=True), name="binding_one_open_per_lock"
            ),
            models.UniqueConstraint(
                fields=["door"], condition=models.Q(ends_at__isnull=True), name="binding_one_open_per_door"
            ),
            has_length("binding_id_8_bytes", "binding_id", 8),
            ends_after_start("binding_period_in_order", "starts_at", "ends_at"),
        ]

    def __str__(self) -> str:
        return f"{self.lock} · {self.door}"

    @property
    def rotation(self) -> int:
        """Since when (seconds since 1970) the lock's bulletins bring it the next advert key; 0 when not."""
        if self.adv_key_released_at is None or self.sealed_adv_key_next is None:
            return 0
        return int(self.adv_key_released_at.timestamp())


class BindingGroup(TenantModel):
    """The small integer that stands for a provider in one binding's tokens, and its not-before."""

    binding = models.ForeignKey(
        Binding, on_delete=models.CASCADE, related_name="groups", verbose_name=_("binding")
    )
    provider = models.ForeignKey(
        CareProvider, on_delete=models.PROTECT, related_name="+", verbose_name=_("care provider")
    )
    grp = models.PositiveSmallIntegerField(_("group number"))
    not_before = models.DateTimeField(
        _("not before"),
        null=True,
        blank=True,
        help_text=_("Older keys of this provider are dead at this lock."),
    )

    class Meta:
        verbose_name = _("provider at a lock")
        verbose_name_plural = _("providers at locks")
        ordering = ["binding", "grp"]
        constraints = [
            models.UniqueConstraint(fields=["binding", "provider"], name="bindinggroup_unique_provider"),
            models.UniqueConstraint(fields=["binding", "grp"], name="bindinggroup_unique_grp"),
        ]

    def __str__(self) -> str:
        return f"{self.binding_id}/{self.grp} {self.provider}"


class Bulletin(TenantModel):
    """Server-signed news for one binding; the number never goes back."""

    binding = models.ForeignKey(
        Binding, on_delete=models.CASCADE, related_name="bulletins", verbose_name=_("binding")
    )
    seq = models.BigIntegerField(_("number"))
    document = BytesField(_("signed document"))
    content_hash = BytesField(
        _("content hash"), max_length=32, help_text=_("Of what it says apart from number and time.")
    )
    manifest_version = models.PositiveIntegerField(_("key manifest inside"), null=True, blank=True)
    brings_adv_key = models.BooleanField(_("brings an advert key"), default=False)
    created_at = models.DateTimeField(_("created"))
    known_at = models.DateTimeField(_("known to the lock"), null=True, blank=True)

    class Meta:
        verbose_name = _("bulletin")
        verbose_name_plural = _("bulletins")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["binding", "created_at"],
                condition=models.Q(known_at__isnull=True),
                name="bulletin_not_known",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["binding", "seq"], name="bulletin_unique_seq"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="bulletin_seq_positive"),
            has_length("bulletin_content_hash_32_bytes", "content_hash", 32),
        ]

    def __str__(self) -> str:
        return f"{self.binding} {self.seq}"


class LogPosition(TenantModel):
    """How far a lock's log of one epoch is verified and receipted without a hole."""

    lock = models.ForeignKey(
        Lock, on_delete=models.CASCADE, related_name="log_positions", verbose_name=_("lock")
    )
    epoch = models.BigIntegerField(_("log epoch"))
    acked_seq = models.BigIntegerField(_("receipted up to"), default=0)
    acked_hash = BytesField(_("chain hash there"), max_length=32)
    receipt = BytesField(_("signed receipt"), null=True, blank=True)
    receipted_at = models.DateTimeField(_("receipted"), null=True, blank=True)

    class Meta:
        verbose_name = _("log position")
        verbose_name_plural = _("log positions")
        ordering = ["lock", "-epoch"]
        constraints = [
            models.UniqueConstraint(fields=["lock", "epoch"], name="logposition_unique_epoch"),
            has_length("logposition_hash_32_bytes", "acked_hash", 32),
        ]

    def __str__(self) -> str:
        return f"{self.lock} {self.epoch}/{self.acked_seq}"
