"""What is checked: each module as the protocol has it, and each with one rule taken away.

A run of the second kind must fail, at the named invariant: a model that cannot fail says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Run:
    """One question to the model checker."""

    name: str
    module: str
    constants: dict[str, str]
    invariants: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    breaks: str = ""
    """The invariant or property that must be found violated; empty = all must hold."""
    changed: dict[str, str] = field(default_factory=dict)
    """Constants that differ from the protocol in this run."""

    @property
    def settings(self) -> dict[str, str]:
        """All constants of the run."""
        return self.constants | self.changed


HANDSHAKE = {
    "LockSessions": '{"l1", "l2", "l3"}',
    "PhoneSessions": '{"p1", "p2", "p3"}',
    "Leaked": "{}",
    "Mixed": '{"ee", "se", "es"}',
    "Proof": '"none"',
    "OneM1PerM0": "TRUE",
    "TokenBound": "TRUE",
}
SUITE_2 = HANDSHAKE | {"Mixed": '{"ee", "se"}', "Proof": '"whole"'}
AGREEMENT = ("ActsForATap", "ActsOnce", "NobodyElse", "GrantedIsTrue", "SecretLater", "SecretNow")
OPENING = {
    "Taps": '{"t1", "t2", "t3"}',
    "LogBeforeActing": "TRUE",
    "RemembersAtBoot": "TRUE",
    "BelievesGranted": "FALSE",
    "MaxBoots": "2",
}
TRUTH = ("NeverTwice", "OpenIsTrue", "OnlyTaps", "ActedIsLogged")
CUSTODY = {
    "Most": "4",
    "MaxBatches": "3",
    "Room": "2",
    "MaxBulletins": "4",
    "Day": "1",
    "Patience": "1",
    "ChecksSignature": "TRUE",
    "FreesOnReceipt": "TRUE",
    "ReceiptsPrefix": "TRUE",
    "BulletinsForward": "TRUE",
}
KEPT = ("NothingLost", "ReceiptsAreTrue", "NothingInvented", "GapsAreTrue", "WithholdersStayOut")
CLOCK = {
    "End": "4",
    "MaxStatements": "2",
    "Lead": "2",
    "Back": "2",
    "Life": "1",
    "Allowance": "2",
    "StolenTokenKey": "FALSE",
    "CountsUses": "TRUE",
    "BoundToSession": "TRUE",
    "IatBounded": "TRUE",
    "BelievesPhones": "FALSE",
}
BOUNDS = ("LowerBound", "NeverFarAhead", "CertainIsTrue", "LateIsBounded")


def _broken(of: Run, name: str, breaks: str, **changed: str) -> Run:
    kind = "properties" if breaks in of.properties else "invariants"
    return Run(name, of.module, of.constants, breaks=breaks, changed=changed, **{kind: (breaks,)})


_HANDSHAKE = Run("handshake", "Handshake", HANDSHAKE, AGREEMENT)
_SUITE_2 = Run("suite 2", "Handshake", SUITE_2, AGREEMENT)
_OPENING = Run("opening", "Opening", OPENING, TRUTH)
_CUSTODY = Run("custody", "Custody", CUSTODY, KEPT, ("NeverBack",))
_CLOCK = Run("clock", "Clock", CLOCK, BOUNDS, ("ForwardOnly",))

RUNS = (
    _HANDSHAKE,
    Run("handshake, lock's key leaked", "Handshake", HANDSHAKE, AGREEMENT, changed={"Leaked": '{"L1"}'}),
    Run("handshake, phone's key leaked", "Handshake", HANDSHAKE, AGREEMENT, changed={"Leaked": '{"P1"}'}),
    _broken(_HANDSHAKE, "an opening is reached", "NeverOpens"),
    _broken(_HANDSHAKE, "without es", "ActsForATap", Mixed='{"ee", "se"}'),
    _broken(_HANDSHAKE, "without se", "GrantedIsTrue", Mixed='{"ee", "es"}'),
    _broken(_HANDSHAKE, "without ee", "SecretLater", Mixed='{"se", "es"}'),
    _broken(_HANDSHAKE, "an m0 for many m1", "ActsOnce", OneM1PerM0="FALSE"),
    _broken(_HANDSHAKE, "token not bound to the phone", "NobodyElse", TokenBound="FALSE"),
    _SUITE_2,
    Run("suite 2, lock's key leaked", "Handshake", SUITE_2, AGREEMENT, changed={"Leaked": '{"L1"}'}),
    Run("suite 2, phone's key leaked", "Handshake", SUITE_2, AGREEMENT, changed={"Leaked": '{"P1"}'}),
    _broken(_SUITE_2, "an opening is reached", "NeverOpens"),
    _broken(_SUITE_2, "without se", "GrantedIsTrue", Mixed='{"ee"}'),
    _broken(_SUITE_2, "without ee", "SecretLater", Mixed='{"se"}'),
    _broken(_SUITE_2, "a proof of the request alone", "ActsForATap", Proof='"request"', Leaked='{"L1"}'),
    _broken(_SUITE_2, "token not bound to the phone", "NobodyElse", TokenBound="FALSE"),
    _OPENING,
    _broken(_OPENING, "a lost answer is reached", "NeverLooks"),
    _broken(_OPENING, "acting before the log", "NeverTwice", LogBeforeActing="FALSE"),
    _broken(_OPENING, "memory lost at boot", "NeverTwice", RemembersAtBoot="FALSE"),
    _broken(_OPENING, "granted taken for open", "OpenIsTrue", BelievesGranted="TRUE"),
    _CUSTODY,
    _broken(_CUSTODY, "a receipt over a gap is reached", "NeverReceiptsAGap"),
    _broken(_CUSTODY, "signatures not checked", "NothingInvented", ChecksSignature="FALSE"),
    _broken(_CUSTODY, "freed when offered", "NothingLost", FreesOnReceipt="FALSE"),
    _broken(_CUSTODY, "receipt for the newest", "ReceiptsAreTrue", ReceiptsPrefix="FALSE"),
    _broken(_CUSTODY, "older bulletins taken", "NeverBack", BulletinsForward="FALSE"),
    _broken(_CUSTODY, "withheld bulletins not noticed", "WithholdersStayOut", Patience="2"),
    _CLOCK,
    Run("clock, token key stolen", "Clock", CLOCK, BOUNDS, changed={"StolenTokenKey": "TRUE"}),
    _broken(_CLOCK, "an ended token is let in", "NeverLate"),
    _broken(_CLOCK, "uses not counted", "LateIsBounded", CountsUses="FALSE"),
    _broken(_CLOCK, "fresh time of another session", "CertainIsTrue", BoundToSession="FALSE"),
    _broken(_CLOCK, "iat not bounded", "NeverFarAhead", IatBounded="FALSE", StolenTokenKey="TRUE"),
    _broken(_CLOCK, "phones believed", "LowerBound", BelievesPhones="TRUE"),
)
