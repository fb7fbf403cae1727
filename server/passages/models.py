"""What locks tell: sealed batches as received, passages, gaps in the logs, deviations to handle."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.access.models import Token
from server.locks.models import Binding, Lock
from server.people.models import Bearer, CareProvider, Phone
from server.places.models import Door
from server.tenancy.base import TenantModel
from server.tenancy.fields import BytesField, has_length


class SealedBatch(TenantModel):
    """A sealed batch as a phone handed it in; the same bytes are kept once."""

    class Status(models.TextChoices):
        HELD = "held", _("held: waits for what came before")
        STORED = "stored", _("stored")
        REJECTED = "rejected", _("rejected")

    digest = BytesField(_("SHA-256"), max_length=32)
    document = BytesField(
        _("sealed document"), help_text=_("Emptied once its passages are stored."), blank=True
    )
    courier = models.ForeignKey(
        Phone,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="batches",
        verbose_name=_("courier"),
    )
    received_at = models.DateTimeField(_("received"))
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status)
    code = models.CharField(_("reason"), max_length=40, blank=True, default="")
    lock = models.ForeignKey(
        Lock, on_delete=models.PROTECT, null=True, blank=True, related_name="batches", verbose_name=_("lock")
    )
    epoch = models.BigIntegerField(_("log epoch"), null=True, blank=True)
    first_seq = models.BigIntegerField(_("first number"), null=True, blank=True)
    last_seq = models.BigIntegerField(_("last number"), null=True, blank=True)

    class Meta:
        verbose_name = _("sealed batch")
        verbose_name_plural = _("sealed batches")
        ordering = ["-received_at"]
        indexes = [models.Index(fields=["lock", "epoch", "status"], name="sealedbatch_held")]
        constraints = [
            models.UniqueConstraint(fields=["municipality", "digest"], name="sealedbatch_unique_digest"),
            has_length("sealedbatch_digest_32_bytes", "digest", 32),
        ]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:16]


class Passage(TenantModel):
    """One event in a lock's log, exactly once, with when it happened and when it became known."""

    lock = models.ForeignKey(Lock, on_delete=models.PROTECT, related_name="passages", verbose_name=_("lock"))
    epoch = models.BigIntegerField(_("log epoch"))
    seq = models.BigIntegerField(_("number"))
    binding = models.ForeignKey(
        Binding,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="passages",
        verbose_name=_("binding"),
    )
    happened_at = models.DateTimeField(_("happened"))
    known_at = models.DateTimeField(_("became known"))
    time_uncertain = models.BooleanField(_("time uncertain"), default=False)
    kind = models.CharField(_("kind"), max_length=32, help_text=_("The protocol's name of the entry."))
    reason = models.CharField(_("reason"), max_length=40, blank=True, default="")
    cti = BytesField(_("key id"), max_length=8, null=True, blank=True)
    token = models.ForeignKey(
        Token,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="passages",
        verbose_name=_("key"),
    )
    bearer = models.ForeignKey(
        Bearer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="passages",
        verbose_name=_("bearer"),
    )
    provider = models.ForeignKey(
        CareProvider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="passages",
        verbose_name=_("care provider"),
    )
    detail = models.JSONField(_("details"), default=dict, blank=True)
    opened_before_known_revocation = models.BooleanField(
        _("opened before the lock knew of the revocation"),
        default=False,
        db_default=False,
        help_text=_("The key was revoked already, but no phone had brought the news to the lock."),
    )
    entry_bytes = BytesField(_("entry"))
    entry_hash = BytesField(_("chain hash"), max_length=32)
    batch = models.ForeignKey(
        SealedBatch,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("batch"),
    )

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        ordering = ["-happened_at", "-id"]
        permissions = [
            ("export_passages", _("Can export passages")),
            ("prove_log", _("Can see and export what proves a log complete")),
            ("view_visit_times", _("Can see and export arrivals and departures")),
        ]
        indexes = [
            models.Index(fields=["municipality", "-happened_at"], name="passage_happened"),
            models.Index(fields=["municipality", "-known_at"], name="passage_known"),
            models.Index(fields=["binding", "-happened_at"], name="passage_binding"),
            models.Index(fields=["provider", "-happened_at"], name="passage_provider"),
            models.Index(fields=["bearer", "-happened_at"], name="passage_bearer"),
            models.Index(fields=["municipality", "kind", "-happened_at"], name="passage_kind"),
            models.Index(fields=["binding", "-epoch", "-seq"], name="passage_log_order"),
            models.Index(
                fields=["municipality", "-happened_at"],
                condition=models.Q(opened_before_known_revocation=True),
                name="passage_before_known",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["lock", "epoch", "seq"], name="passage_unique_number"),
            has_length("passage_hash_32_bytes", "entry_hash", 32),
        ]

    def __str__(self) -> str:
        return f"{self.lock} {self.epoch}/{self.seq} {self.kind}"


class BatchHead(TenantModel):
    """What a lock signed over a stretch of its log, apart from the entries, which are passages.

    Kept as long as the passages are: head and entries together are the batch that the lock signed, so anybody
    can verify them against the lock's own key, without us.
    """

    lock = models.ForeignKey(Lock, on_delete=models.PROTECT, related_name="+", verbose_name=_("lock"))
    epoch = models.BigIntegerField(_("log epoch"))
    first_seq = models.BigIntegerField(_("first number"))
    last_seq = models.BigIntegerField(_("last number"))
    document = BytesField(_("signed head"))

    class Meta:
        verbose_name = _("signed head of a batch")
        verbose_name_plural = _("signed heads of batches")
        ordering = ["lock", "epoch", "last_seq"]
        constraints = [
            models.UniqueConstraint(
                fields=["lock", "epoch", "last_seq", "first_seq"], name="batchhead_unique_stretch"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lock_id} {self.epoch}/{self.first_seq}–{self.last_seq}"


class LockClock(TenantModel):
    """What a lock's crystal is measured from: the quickest batch of each week since the lock booted."""

    lock = models.OneToOneField(Lock, on_delete=models.CASCADE, related_name="+", verbose_name=_("lock"))
    boot = models.BigIntegerField(_("boot number"), default=0)
    weeks = models.JSONField(
        _("weeks"), default=dict, help_text=_("Week: [seconds the lock had run, our clock less those].")
    )

    class Meta:
        verbose_name = _("measurement of a clock")
        verbose_name_plural = _("measurements of clocks")

    def __str__(self) -> str:
        return f"{self.lock_id} {self.boot}"


class PassageCount(TenantModel):
    """What is left of passages that are older than they may be: how many, of what kind, in which month."""

    door = models.ForeignKey(
        Door, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("door")
    )
    provider = models.ForeignKey(
        CareProvider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("care provider"),
    )
    month = models.DateField(_("month"), help_text=_("Its first day."))
    kind = models.CharField(_("kind"), max_length=32)
    count = models.PositiveBigIntegerField(_("passages"))
    before_known_revocation = models.PositiveBigIntegerField(
        _("of them opened before the lock knew of the revocation"), default=0
    )

    class Meta:
        verbose_name = _("count of erased passages")
        verbose_name_plural = _("counts of erased passages")
        ordering = ["-month", "kind"]
        constraints = [
            models.UniqueConstraint(
                models.F("municipality"),
                Coalesce(models.F("door"), 0),
                Coalesce(models.F("provider"), 0),
                models.F("month"),
                models.F("kind"),
                name="passagecount_unique_line",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.kind} {self.count}"


class LogGap(TenantModel):
    """Numbers missing in a lock's log; signed when the lock itself says that they were overwritten."""

    lock = models.ForeignKey(Lock, on_delete=models.PROTECT, related_name="gaps", verbose_name=_("lock"))
    epoch = models.BigIntegerField(_("log epoch"))
    first_seq = models.BigIntegerField(_("first number"))
    last_seq = models.BigIntegerField(_("last number"))
    signed = models.BooleanField(_("signed by the lock"), default=False)
    noticed_at = models.DateTimeField(_("noticed"))
    closed_at = models.DateTimeField(_("filled"), null=True, blank=True)

    class Meta:
        verbose_name = _("gap in a log")
        verbose_name_plural = _("gaps in logs")
        ordering = ["-noticed_at"]
        constraints = [
            models.UniqueConstraint(fields=["lock", "epoch", "first_seq"], name="loggap_unique_first"),
            models.CheckConstraint(
                condition=models.Q(last_seq__gte=models.F("first_seq")), name="loggap_range_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lock} {self.epoch}/{self.first_seq}–{self.last_seq}"


class Deviation(TenantModel):
    """Something that went wrong at a door and must be handled. Structured, without free text."""

    class Kind(models.TextChoices):
        DEAD_LOCK = "dead_lock", _("dead lock")
        JAM = "jam", _("the bolt jammed")
        LOW_BATTERY = "low_battery", _("low battery")
        LOG_GAP = "log_gap", _("gap in the log")
        LOG_FORKED = "log_forked", _("two histories of one log")
        NEW_EPOCH = "new_epoch", _("the lock lost its log")
        CLOCK_UNCERTAIN = "clock_uncertain", _("clock uncertain")
        TAMPER = "tamper", _("tampering")
        BREAK_GLASS = "break_glass", _("emergency right taken")
        OPENED_REVOKED = "opened_revoked", _("opened with a key that the lock knew was revoked")

    class Resolution(models.TextChoices):
        REPAIRED = "repaired", _("repaired")
        REPLACED = "replaced", _("replaced")
        EXPLAINED = "explained", _("explained")
        BY_ITSELF = "by_itself", _("settled by itself")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    door = models.ForeignKey(
        Door,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deviations",
        verbose_name=_("door"),
    )
    lock = models.ForeignKey(
        Lock,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deviations",
        verbose_name=_("lock"),
    )
    passage = models.ForeignKey(
        Passage, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("passage")
    )
    provider = models.ForeignKey(
        CareProvider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("care provider"),
        help_text=_(
            "Whose matter it is, when it is one provider's; empty when it is the door's or the lock's."
        ),
    )
    opened_at = models.DateTimeField(_("opened"))
    handler = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("handled by"),
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("closed by"),
    )
    resolution = models.CharField(_("resolution"), max_length=12, choices=Resolution, blank=True, default="")

    class Meta:
        verbose_name = _("deviation")
        verbose_name_plural = _("deviations")
        ordering = ["-opened_at"]
        indexes = [
            models.Index(fields=["municipality", "closed_at", "-opened_at"], name="deviation_open"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "lock"],
                condition=models.Q(closed_at__isnull=True, passage__isnull=True)
                & ~models.Q(kind="break_glass"),  # each of those is reviewed on its own
                name="deviation_one_open_per_kind_and_lock",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {timezone.localtime(self.opened_at):%Y-%m-%d %H:%M}"
