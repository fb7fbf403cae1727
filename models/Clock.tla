------------------------------- MODULE Clock -------------------------------
(* The lock's clock: docs/protocol.md, section 17. Time is in steps; the lock's crystal is true while it has
   power (drift is what the tolerance at the edges of a window is for), and everything the server signs bears
   the time at which it was signed. Couriers keep what was signed and hand it over whenever they like. *)

EXTENDS Integers, FiniteSets

CONSTANTS
    End,             \* the last step of true time
    MaxStatements,   \* how many statements the attacker keeps
    Lead,            \* how far tokens may hold the clock ahead: 86400 s in the protocol
    Back,            \* how far fresh time may set it back: 3600 s
    Life,            \* how long after m0 a statement is taken: 10 s
    Allowance,       \* openings per token while the time is uncertain: 16
    StolenTokenKey,  \* the attacker signs tokens with any iat
    CountsUses,      \* TRUE in the protocol: the allowance is kept, over reboots too
    BoundToSession,  \* TRUE in the protocol: fresh time names this session's m0
    IatBounded,      \* TRUE in the protocol
    BelievesPhones   \* FALSE in the protocol: the phone's own clock moves the lock's

VARIABLES
    true,       \* true time
    base,       \* what the clock would be without tokens
    ahead,      \* what tokens add to it; the clock is base + ahead
    certain,
    saved,      \* on disk
    m0,         \* true time at which this session's m0 was sent, -1 = no session
    statements, \* fresh time that was ever signed: [m0, time]
    exp,        \* end of the one token that is followed here
    late        \* openings accepted for it after its end, while the lock did not know the time

vars == <<true, base, ahead, certain, saved, m0, statements, exp, late>>

Now == base + ahead
Max(a, b) == IF a > b THEN a ELSE b
Min(a, b) == IF a < b THEN a ELSE b

Init ==
    /\ true = 0 /\ base = 0 /\ ahead = 0 /\ certain = TRUE /\ saved = 0
    /\ m0 = -1 /\ statements = {} /\ exp \in 0..2 /\ late = 0

Tick ==
    /\ true < End
    /\ true' = true + 1
    /\ base' = base + 1
    /\ UNCHANGED <<ahead, certain, saved, m0, statements, exp, late>>

Save ==
    /\ saved' = base
    /\ UNCHANGED <<true, base, ahead, certain, m0, statements, exp, late>>

(* The battery is out for a while; the clock comes back with what was saved, and knows that it does not know. *)
BatteryChange ==
    /\ \E gone \in 0..(End - true) : true' = true + gone
    /\ base' = saved /\ ahead' = 0 /\ certain' = FALSE /\ m0' = -1
    /\ UNCHANGED <<saved, statements, exp, late>>

Connect ==
    /\ m0' = true
    /\ UNCHANGED <<true, base, ahead, certain, saved, statements, exp, late>>

(* The server signs its time for a session that asks now. *)
Sign ==
    /\ m0 >= 0
    /\ \E kept \in SUBSET statements :
        /\ Cardinality(kept) < MaxStatements
        /\ statements' = kept \cup {[m0 |-> m0, time |-> true]}
    /\ UNCHANGED <<true, base, ahead, certain, saved, m0, exp, late>>

FreshTime(s) ==
    /\ s \in statements /\ m0 >= 0
    /\ BoundToSession => s.m0 = m0 /\ true - m0 <= Life
    /\ s.time >= base - Back
    /\ base' = s.time /\ ahead' = 0 /\ certain' = TRUE /\ saved' = s.time /\ m0' = -1
    /\ UNCHANGED <<true, statements, exp, late>>

(* A bulletin of any age. Its time eats up the lead of tokens. *)
Bulletin(time) ==
    /\ time <= true
    /\ base' = Max(base, time)
    /\ ahead' = Max(0, Now - base')
    /\ saved' = Max(saved, base')
    /\ UNCHANGED <<true, certain, m0, statements, exp, late>>

(* A token whose signature held. *)
Token(iat) ==
    /\ iat <= true \/ StolenTokenKey
    /\ ahead' = IF IatBounded THEN Min(Lead, Max(ahead, iat - base)) ELSE Max(ahead, iat - base)
    /\ UNCHANGED <<true, base, certain, saved, m0, statements, exp, late>>

PhoneSays(time) ==
    /\ BelievesPhones
    /\ base' = Max(base, time)
    /\ UNCHANGED <<true, ahead, certain, saved, m0, statements, exp, late>>

(* The followed token is used after its end. *)
UseLate ==
    /\ true > exp
    /\ ~certain
    /\ Now <= exp
    /\ CountsUses => late < Allowance
    /\ late' = late + 1
    /\ UNCHANGED <<true, base, ahead, certain, saved, m0, statements, exp>>

Next ==
    \/ Tick \/ Save \/ BatteryChange \/ Connect \/ Sign \/ UseLate
    \/ \E s \in statements : FreshTime(s)
    \/ \E time \in 0..End : Bulletin(time)
    \/ \E iat \in 0..(End + Lead + 1) : Token(iat)
    \/ \E time \in 0..(End + 2) : PhoneSays(time)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Rule 7: the clock is a lower bound of the true time. With a stolen token key it is wrong by the lead at most,
   so rightful tokens are shut out for no longer than that. *)
LowerBound == base <= true
NeverFarAhead == Now <= true + (IF StolenTokenKey THEN Lead ELSE 0)

(* Rule 7: a lock that says it knows the time is behind it by no more than a statement may be old. *)
CertainIsTrue == certain => base >= true - Life

(* Rule 7: forward only, but for fresh time (at most Back below what is certain) and a lost clock. *)
ForwardOnly == [][base' >= base \/ (certain' /\ base' >= base - Back) \/ ~certain']_vars

(* Rule 7: what a lock accepts without knowing the time is bounded. *)
LateIsBounded == late <= Allowance

(* To be violated: the lost clock really lets an ended token in. *)
NeverLate == late = 0
=============================================================================
