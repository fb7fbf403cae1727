"""Why a right is not given: codes, and what the person reads, in Swedish and English."""

from __future__ import annotations

from enum import StrEnum


class WhyNot(StrEnum):
    """Reasons of the decision function. Codes never change; texts may."""

    BEARER_REVOKED = "bearer_revoked"
    PHONE_REVOKED = "phone_revoked"
    OTHER_PERSONS_SHIFT = "other_persons_shift"
    PROVIDER_INACTIVE = "provider_inactive"
    PROVIDER_MISMATCH = "provider_mismatch"
    NOT_EMPLOYED = "not_employed"
    SHIFT_CANCELLED = "shift_cancelled"
    SHIFT_OVER = "shift_over"
    SHIFT_TOO_LONG = "shift_too_long"
    OTHER_PERSONS_RIGHT = "other_persons_right"
    RIGHT_WITHDRAWN = "right_withdrawn"
    RIGHT_OVER = "right_over"
    RIGHT_TOO_LONG = "right_too_long"
    NO_ASSIGNMENT = "no_assignment"
    ASSIGNMENT_ENDED = "assignment_ended"
    CLIENT_PAUSED = "client_paused"
    CLIENT_ENDED = "client_ended"
    CLIENT_WITHOUT_DOOR = "client_without_door"
    NO_CLIENT_CONSENT = "no_client_consent"
    NO_OWNER_CONSENT = "no_owner_consent"
    NO_LOCK = "no_lock"
    LOCK_NOT_COMMISSIONED = "lock_not_commissioned"
    KEY_NOT_FOR_LOCK = "key_not_for_lock"

    @property
    def sv(self) -> str:
        """What the person reads in Swedish."""
        return TEXTS[self][0]

    @property
    def en(self) -> str:
        """What the person reads in English."""
        return TEXTS[self][1]


TEXTS: dict[WhyNot, tuple[str, str]] = {
    WhyNot.BEARER_REVOKED: (
        "Medarbetarens nyckel på den här telefonen är spärrad. Registrera telefonen på nytt.",
        "This person's key on this phone is revoked. Enrol the phone again.",
    ),
    WhyNot.PHONE_REVOKED: ("Telefonen är spärrad.", "The phone is revoked."),
    WhyNot.OTHER_PERSONS_SHIFT: (
        "Arbetspasset tillhör en annan medarbetare.",
        "The shift belongs to somebody else.",
    ),
    WhyNot.PROVIDER_INACTIVE: ("Utföraren är inte aktiv.", "The care provider is not active."),
    WhyNot.PROVIDER_MISMATCH: (
        "Medarbetare, grupp och arbetspass hör till olika utförare. Rätta arbetspasset.",
        "Staff member, team and shift belong to different care providers. Correct the shift.",
    ),
    WhyNot.NOT_EMPLOYED: (
        "Medarbetaren är inte anställd under arbetspasset.",
        "The person is not employed during the shift.",
    ),
    WhyNot.SHIFT_CANCELLED: ("Arbetspasset är inställt.", "The shift is cancelled."),
    WhyNot.SHIFT_OVER: ("Arbetspasset är slut.", "The shift is over."),
    WhyNot.SHIFT_TOO_LONG: (
        "Arbetspasset är längre än vad som är tillåtet. Rätta tiderna.",
        "The shift is longer than allowed. Correct its times.",
    ),
    WhyNot.OTHER_PERSONS_RIGHT: (
        "Behörigheten är given till en annan medarbetare.",
        "The right was given to somebody else.",
    ),
    WhyNot.RIGHT_WITHDRAWN: ("Behörigheten är avslutad.", "The right was ended."),
    WhyNot.RIGHT_OVER: ("Behörighetens tid är ute.", "The right's time is up."),
    WhyNot.RIGHT_TOO_LONG: (
        "Behörigheten är längre än vad som är tillåtet. Ge en kortare.",
        "The right is longer than allowed. Give a shorter one.",
    ),
    WhyNot.NO_ASSIGNMENT: (
        "Inget uppdrag finns bakom den här dörren.",
        "There is no assignment behind this door.",
    ),
    WhyNot.ASSIGNMENT_ENDED: (
        "Uppdraget gäller inte under arbetspasset.",
        "The assignment does not hold during the shift.",
    ),
    WhyNot.CLIENT_PAUSED: ("Insatsen är pausad.", "The care is paused."),
    WhyNot.CLIENT_ENDED: ("Insatsen är avslutad.", "The care has ended."),
    WhyNot.CLIENT_WITHOUT_DOOR: (
        "Brukaren har ingen dörr registrerad. Ange lägenhetsdörren.",
        "The client has no door on record. Enter the apartment door.",
    ),
    WhyNot.NO_CLIENT_CONSENT: (
        "Medgivande för lägenhetsdörren saknas.",
        "Consent for the apartment door is missing.",
    ),
    WhyNot.NO_OWNER_CONSENT: (
        "Fastighetsägarens medgivande saknas.",
        "The property owner's consent is missing.",
    ),
    WhyNot.NO_LOCK: ("Det sitter inget lås på dörren.", "There is no lock on the door."),
    WhyNot.LOCK_NOT_COMMISSIONED: (
        "Låset är inte driftsatt än. Montören gör klart driftsättningen.",
        "The lock is not commissioned yet. The installer completes it.",
    ),
    WhyNot.KEY_NOT_FOR_LOCK: (
        "Låset kan inte läsa nycklar i telefonens säkerhetschip. Registrera telefonen på nytt, så får den en "
        "annan sorts nyckel.",
        "The lock cannot read keys in the phone's security chip. Enrol the phone again: it then gets another "
        "kind of key.",
    ),
}
