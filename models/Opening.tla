------------------------------ MODULE Opening ------------------------------
(* Lost answers, repeats and power cuts: docs/protocol.md, sections 12, 14 and 15.

   Each tap has a request id of its own. A phone may ask again with it as often as it likes, in new sessions;
   every message may be lost; the lock's power may go at any step, and the disk keeps what was synced. Each
   session is authentic: that is Handshake's affair. *)

EXTENDS Naturals, FiniteSets

CONSTANTS
    Taps,             \* request ids
    LogBeforeActing,  \* TRUE in the protocol: check 16 stands before the motor
    RemembersAtBoot,  \* TRUE in the protocol: known requests stand in the log
    BelievesGranted,  \* FALSE in the protocol: TRUE takes m2 for an open door
    MaxBoots

VARIABLES
    grants,    \* on disk: request ids with a granted entry
    outcomes,  \* on disk: request id -> "none", "moved", "jam", "unknown"
    acting,    \* volatile: the request acted on, as a set of at most one
    runs,      \* request id -> how often the motor was started for it (what really happened)
    moved,     \* request id -> the bolt really moved
    known,     \* volatile copy of what the lock remembers
    boots,
    asked,     \* request ids whose request is on its way or was
    screen     \* request id -> what the person reads

vars == <<grants, outcomes, acting, runs, moved, known, boots, asked, screen>>

Init ==
    /\ grants = {}
    /\ outcomes = [t \in Taps |-> "none"]
    /\ acting = {}
    /\ runs = [t \in Taps |-> 0]
    /\ moved = [t \in Taps |-> FALSE]
    /\ known = {}
    /\ boots = 0
    /\ asked = {}
    /\ screen = [t \in Taps |-> "idle"]

Tap(t) ==
    /\ screen[t] = "idle"
    /\ screen' = [screen EXCEPT ![t] = "asking"]
    /\ asked' = asked \cup {t}
    /\ UNCHANGED <<grants, outcomes, acting, runs, moved, known, boots>>

(* A request arrives; the phone that lost an answer sends the same one again, so it may arrive any number of
   times, as long as the phone is asking. *)
Asking(t) == t \in asked /\ screen[t] \in {"asking", "granted"}

(* New to the lock: logged, then acted on. *)
Grant(t) ==
    /\ Asking(t) /\ acting = {} /\ t \notin known
    /\ IF LogBeforeActing
       THEN grants' = grants \cup {t} /\ known' = known \cup {t}
       ELSE UNCHANGED <<grants, known>>
    /\ acting' = {t}
    /\ runs' = [runs EXCEPT ![t] = @ + 1]
    /\ UNCHANGED <<outcomes, moved, boots, asked, screen>>

(* m2 reaches the phone, or does not. *)
HearGranted(t) ==
    /\ screen[t] = "asking" /\ (t \in known \/ t \in acting)
    /\ screen' = [screen EXCEPT ![t] = IF BelievesGranted THEN "open" ELSE "granted"]
    /\ UNCHANGED <<grants, outcomes, acting, runs, moved, known, boots, asked>>

MotorMoves(t) ==
    /\ t \in acting /\ ~moved[t]
    /\ moved' = [moved EXCEPT ![t] = TRUE]
    /\ UNCHANGED <<grants, outcomes, acting, runs, known, boots, asked, screen>>

(* The motor's sensor has spoken: the outcome entry is written, together with what a lazy lock wrote late. *)
MotorEnds(t) ==
    /\ t \in acting
    /\ outcomes' = [outcomes EXCEPT ![t] = IF moved[t] THEN "moved" ELSE "jam"]
    /\ grants' = grants \cup {t}
    /\ known' = known \cup {t}
    /\ acting' = {}
    /\ UNCHANGED <<runs, moved, boots, asked, screen>>

(* m3, of this time or as recorded, reaches the phone, or does not. *)
HearOutcome(t) ==
    /\ Asking(t) /\ t \in known /\ outcomes[t] # "none"
    /\ screen' = [screen EXCEPT ![t] =
            IF outcomes[t] = "moved" THEN "open" ELSE IF outcomes[t] = "jam" THEN "jammed" ELSE "look"]
    /\ UNCHANGED <<grants, outcomes, acting, runs, moved, known, boots, asked>>

GiveUp(t) ==
    /\ screen[t] \in {"asking", "granted"}
    /\ screen' = [screen EXCEPT ![t] = "lost"]
    /\ UNCHANGED <<grants, outcomes, acting, runs, moved, known, boots, asked>>

(* Power goes and comes back: what was not on the disk is gone; a grant without an outcome becomes unknown. *)
PowerCut ==
    /\ boots < MaxBoots
    /\ boots' = boots + 1
    /\ acting' = {}
    /\ outcomes' = [t \in Taps |-> IF t \in grants /\ outcomes[t] = "none" THEN "unknown" ELSE outcomes[t]]
    /\ known' = IF RemembersAtBoot THEN grants ELSE {}
    /\ UNCHANGED <<grants, runs, moved, asked, screen>>

Next ==
    \/ PowerCut
    \/ \E t \in Taps : Tap(t) \/ Grant(t) \/ HearGranted(t) \/ MotorMoves(t) \/ MotorEnds(t)
                       \/ HearOutcome(t) \/ GiveUp(t)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Rule 10: a retry never acts twice, not in a new session and not after a reboot. *)
NeverTwice == \A t \in Taps : runs[t] <= 1

(* Rule 10: the app says "open" only when the bolt moved. *)
OpenIsTrue == \A t \in Taps : screen[t] = "open" => moved[t]

(* Rule 9: nothing is acted on that nobody tapped. *)
OnlyTaps == \A t \in Taps : runs[t] > 0 => t \in asked

(* Rule 5 and 6: whatever the motor did stands in the log, whenever power goes. *)
ActedIsLogged == \A t \in Taps : runs[t] > 0 => t \in grants

(* To be violated: the model reaches an opening that is told after a power cut between grant and outcome. *)
NeverLooks == \A t \in Taps : screen[t] # "look"
=============================================================================
