------------------------------ MODULE Custody ------------------------------
(* The log, its receipts and the bulletins, in the hands of couriers who lie: docs/protocol.md, 16, 18 and 19.

   Couriers hold everything they were ever given, hand over what they like, as often and in whatever order they
   like, to whomever they like, and nothing at all if they like. They may also hand over what they made
   themselves; such a thing has no signature. An entry is its number and what it says; honest entries say
   "true". Memory is short, so that it overflows. *)

EXTENDS Naturals, FiniteSets

CONSTANTS
    Most,              \* entries the lock ever writes
    MaxBatches,        \* how often a courier is given a stretch
    Room,              \* entries its memory holds
    MaxBulletins,
    Day,               \* 86400 s in the protocol
    Patience,          \* how much older than the token a bulletin may be: a day in the protocol
    ChecksSignature,   \* TRUE in the protocol
    FreesOnReceipt,    \* TRUE in the protocol: only a receipt frees; FALSE frees what a courier took
    ReceiptsPrefix,    \* TRUE in the protocol: receipts cover a contiguous verified prefix only
    BulletinsForward   \* TRUE in the protocol: a number that is not higher is refused

VARIABLES
    written,   \* newest number
    memory,    \* numbers still in the lock
    gap,       \* newest number that was overwritten without a receipt; the gap is (acked, gap]
    acked,     \* newest number the lock has a receipt for
    batches,   \* everything that couriers hold
    stored,    \* what the server holds: a set of [seq, says]
    stated,    \* numbers that signed batches have told the server are overwritten
    now,       \* server time; one step per bulletin
    bulletins, \* every bulletin ever made: [number, time, receipt]
    held,      \* the lock's bulletin
    revoked    \* time of the revocation, 0 = none yet

vars == <<written, memory, gap, acked, batches, stored, stated, now, bulletins, held, revoked>>

First == [number |-> 1, time |-> 1, receipt |-> 0]

Init ==
    /\ written = 0 /\ memory = {} /\ gap = 0 /\ acked = 0
    /\ batches = {} /\ stored = {} /\ stated = {}
    /\ now = 1 /\ bulletins = {First} /\ held = First
    /\ revoked = 0

Least(S) == CHOOSE x \in S : \A y \in S : x <= y
Greatest(S) == CHOOSE x \in S : \A y \in S : x >= y

(* An event at the door. Memory full: the oldest goes and becomes part of the gap; never refuse an opening. *)
Write ==
    /\ written < Most
    /\ written' = written + 1
    /\ IF Cardinality(memory) < Room
       THEN memory' = memory \cup {written + 1} /\ gap' = gap
       ELSE /\ memory' = (memory \ {Least(memory)}) \cup {written + 1}
            /\ gap' = Least(memory)
    /\ UNCHANGED <<acked, batches, stored, stated, now, bulletins, held, revoked>>

(* A courier is given a stretch: it need not be the oldest (what was offered twice goes last). *)
Offer ==
    /\ memory # {} /\ Cardinality(batches) < MaxBatches
    /\ \E from \in memory : \E to \in {n \in memory : n >= from} :
        /\ batches' = batches \cup {[from |-> from, to |-> to, says |-> "true",
                                     gapFrom |-> acked + 1, gapTo |-> gap]}
        /\ memory' = IF FreesOnReceipt THEN memory ELSE memory \ (from..to)
    /\ UNCHANGED <<written, gap, acked, stored, stated, now, bulletins, held, revoked>>

(* A courier hands in something: of the lock's, or of its own making. *)
HandIn(b) ==
    /\ ChecksSignature => b \in batches
    /\ LET new == {[seq |-> n, says |-> b.says] : n \in b.from..b.to}
           known == {e.seq : e \in stored}
       IN stored' = stored \cup {e \in new : e.seq \notin known}
    /\ stated' = stated \cup (b.gapFrom..b.gapTo)
    /\ UNCHANGED <<written, memory, gap, acked, batches, now, bulletins, held, revoked>>

Invented == [from : {1}, to : {1}, says : {"false"}, gapFrom : {1}, gapTo : {0}]

Has(n) == n \in stated \/ \E e \in stored : e.seq = n
Prefix == Greatest({0} \cup {n \in 1..Most : \A k \in 1..n : Has(k)})
Newest == Greatest({0} \cup {e.seq : e \in stored})

(* The server makes a bulletin, with a receipt for what it has. Somebody may be revoked by it. *)
Issue ==
    /\ Cardinality(bulletins) < MaxBulletins
    /\ now' = now + 1
    /\ bulletins' = bulletins \cup {[number |-> now + 1, time |-> now + 1,
                                     receipt |-> IF ReceiptsPrefix THEN Prefix ELSE Newest]}
    /\ revoked' \in IF revoked = 0 THEN {0, now + 1} ELSE {revoked}
    /\ UNCHANGED <<written, memory, gap, acked, batches, stored, stated, held>>

(* Any courier hands any bulletin to the lock. *)
Take(b) ==
    /\ b \in bulletins
    /\ BulletinsForward => b.number > held.number
    /\ held' = b
    /\ IF b.receipt > acked /\ b.receipt <= written
       THEN acked' = b.receipt /\ memory' = {n \in memory : n > b.receipt}
            /\ gap' = IF gap <= b.receipt THEN 0 ELSE gap
       ELSE UNCHANGED <<acked, memory, gap>>
    /\ UNCHANGED <<written, batches, stored, stated, now, bulletins, revoked>>

(* Whether a token of time `iat` that is right in all else is let in now. *)
LetIn(iat) == iat - held.time <= Patience

Next ==
    \/ Write \/ Offer \/ Issue
    \/ \E b \in batches \cup Invented : HandIn(b)
    \/ \E b \in bulletins : Take(b)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Rule 5, nothing lost: each entry ever written is in the lock, or at the server, or within the lock's gap, or
   was told to the server as overwritten. *)
NothingLost ==
    \A n \in 1..written : n \in memory \/ Has(n) \/ (n > acked /\ n <= gap)

(* Rule 5, nothing hidden: what a receipt covers, the server has or knows to be overwritten. *)
ReceiptsAreTrue == \A b \in bulletins : \A n \in 1..b.receipt : Has(n)

(* Rule 5, nothing invented or altered: what the server holds was written by the lock. *)
NothingInvented == \A e \in stored : e.says = "true" /\ e.seq <= written

(* Rule 5: what is told to be overwritten truly was: the lock has no such entry any more. *)
GapsAreTrue == \A n \in stated : n <= written /\ n \notin memory

(* Rule 4: news never goes back, whoever carries it. *)
NeverBack == [][held'.number >= held.number]_vars

(* Rule 4: a lock that lets in anybody whose token is a day newer than the revocation knows of it, so a
   courier that withholds bulletins locks itself out. *)
WithholdersStayOut ==
    revoked # 0 => \A iat \in 1..now : LetIn(iat) /\ iat >= revoked + Day => held.time >= revoked

(* To be violated: the model reaches a receipt over an overwritten entry, so gaps are really played through. *)
NeverReceiptsAGap == \A b \in bulletins : \A n \in stated : n > b.receipt
=============================================================================
