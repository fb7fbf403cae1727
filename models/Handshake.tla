----------------------------- MODULE Handshake -----------------------------
(* The handshake of docs/protocol.md, sections 10 to 13 and 24, with an attacker who owns the radio.

   One honest lock L1 and one honest phone P1 run several sessions at once. The attacker reads, drops, delays
   and replays everything, makes messages of its own from whatever it can compute, and owns a lock L2 and a
   phone P2 with their keys. It also knows the adv_key, and with it mac1 and the pre-shared key (everybody
   who ever had a right at the door does), and every token that was ever issued: neither is a secret here.

   Cryptography is perfect and symbolic: the result of a Diffie-Hellman is the set of its two private keys,
   and whoever knows one of them (and the other's public half) can compute it. A message encrypted under a
   set of such results is made by whoever can compute all of them, and by nobody else. *)

EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
    LockSessions,   \* names of sessions at L1
    PhoneSessions,  \* names of sessions at P1; each is one tap of the person
    Leaked,         \* whose static private keys the attacker has from the start, of {"L1", "P1"}
    Mixed,          \* which results go into the key of m1: {"ee", "se", "es"} in suite 1, {"ee", "se"} in suite 2
    Proof,          \* what the phone signs in m1: "none" in suite 1, "whole" (transcript, key, request) in suite 2
    OneM1PerM0,     \* TRUE in the protocol: an m0 takes one m1
    TokenBound      \* TRUE in the protocol: the token's signature covers the phone key of the handshake

VARIABLES lock, phone, m1s, m2s, acts

vars == <<lock, phone, m1s, m2s, acts>>

Nobody == <<"", "">>
Static(who) == <<"static", who>>
LockEph(l) == <<"lock", l>>
PhoneEph(p) == <<"phone", p>>
AttackerEph == <<"attacker", "e">>

Known == {AttackerEph, Static("L2"), Static("P2")} \cup {Static(who) : who \in Leaked}
AllStatics == {Static(who) : who \in {"L1", "L2", "P1", "P2"}}

Tokens == {[aud |-> "L1", key |-> "P1"], [aud |-> "L2", key |-> "P1"], [aud |-> "L2", key |-> "P2"]}
Requests == [tap : PhoneSessions, token : Tokens]

(* What m1 is made of: the lock it is for (prologue and static key), the ephemeral of m0, the phone's two
   keys, and the request. It stands for the whole transcript. *)
Message(target, m0, ephemeral, who, request) ==
    [target |-> target, m0 |-> m0, eph |-> ephemeral, who |-> who, req |-> request]

Results(m) ==
    (IF "ee" \in Mixed THEN {{m.m0, m.eph}} ELSE {})
    \cup (IF "se" \in Mixed THEN {{Static(m.target), m.eph}} ELSE {})
    \cup (IF "es" \in Mixed THEN {{m.m0, Static(m.who)}} ELSE {})

Computable(m, knowledge) == \A result \in Results(m) : result \cap knowledge # {}

Init ==
    /\ lock = [l \in LockSessions |-> [state |-> "idle", m1 |-> {}]]
    /\ phone = [p \in PhoneSessions |-> [state |-> "idle", m1 |-> {}]]
    /\ m1s = {}
    /\ m2s = {}
    /\ acts = <<>>

(* A link is made: the lock sends m0. *)
LockSpeaks(l) ==
    /\ lock[l].state = "idle"
    /\ lock' = [lock EXCEPT ![l].state = "waiting"]
    /\ UNCHANGED <<phone, m1s, m2s, acts>>

SentM0 == {LockEph(l) : l \in {l \in LockSessions : lock[l].state # "idle"}}

(* The person taps at a door; the phone answers the m0 that reaches it, which the attacker chooses. *)
PhoneAnswers(p, target, m0) ==
    /\ phone[p].state = "idle"
    /\ m0 \in SentM0 \cup {AttackerEph}
    /\ LET request == [tap |-> p, token |-> [aud |-> target, key |-> "P1"]]
           m == Message(target, m0, PhoneEph(p), "P1", request)
       IN /\ m1s' = m1s \cup {m}
          /\ phone' = [phone EXCEPT ![p] = [state |-> "sent", m1 |-> {m}]]
    /\ UNCHANGED <<lock, m2s, acts>>

(* Whether the attacker has a signature for this m1: it holds the key, or it has read one that fits. A proof
   over the whole message fits that very message alone, which can be delivered as it is. *)
Signed(m) ==
    \/ Proof = "none"
    \/ Static(m.who) \in Known
    \/ /\ Proof = "request"
       /\ \E other \in m1s : other.who = m.who /\ other.req = m.req /\ Computable(other, Known)

(* What the attacker can hand to a session of L1: what was sent, as it was, and what it can make. *)
Deliverable(l) ==
    LET ephemerals == {AttackerEph} \cup {m.eph : m \in m1s}
        made == {Message("L1", LockEph(l), e, who, r) :
                    e \in ephemerals, who \in {"P1", "P2"}, r \in Requests}
    IN {m \in m1s : m.target = "L1" /\ m.m0 = LockEph(l)} \cup {m \in made : Computable(m, Known) /\ Signed(m)}

Believes(m) == m.req.token.aud = "L1" /\ (TokenBound => m.req.token.key = m.who)

LockJudges(l, m) ==
    /\ lock[l].state = "waiting" \/ (~OneM1PerM0 /\ lock[l].state = "accepted")
    /\ Len(acts) < Cardinality(LockSessions) + 1
    /\ IF Believes(m)
       THEN /\ lock' = [lock EXCEPT ![l] = [state |-> "accepted", m1 |-> {m}]]
            /\ acts' = Append(acts, [session |-> l, m1 |-> m])
            /\ m2s' = m2s \cup {m}
       ELSE /\ lock' = [lock EXCEPT ![l].state = "refused"]
            /\ UNCHANGED <<acts, m2s>>
    /\ UNCHANGED <<phone, m1s>>

(* The phone believes an m2 that opens under the key of its own m1. *)
PhoneBelieves(p) ==
    /\ phone[p].state = "sent"
    /\ \E m \in phone[p].m1 : m \in m2s \/ Computable(m, Known)
    /\ phone' = [phone EXCEPT ![p].state = "granted"]
    /\ UNCHANGED <<lock, m1s, m2s, acts>>

Next ==
    \/ \E l \in LockSessions : LockSpeaks(l)
    \/ \E p \in PhoneSessions, target \in {"L1", "L2"}, m0 \in SentM0 \cup {AttackerEph} :
           PhoneAnswers(p, target, m0)
    \/ \E l \in LockSessions : \E m \in Deliverable(l) : LockJudges(l, m)
    \/ \E p \in PhoneSessions : PhoneBelieves(p)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Rule 1 and rule 9: L1 acts for P1 only where P1's person tapped at L1, in this very session, with this very
   request. Holds also when L1's own static key has leaked (key compromise impersonation). *)
ActsForATap ==
    "P1" \notin Leaked =>
        \A i \in DOMAIN acts : acts[i].m1.who = "P1" =>
            \E p \in PhoneSessions :
                /\ phone[p].m1 = {acts[i].m1}
                /\ acts[i].m1.target = "L1"
                /\ acts[i].m1.m0 = LockEph(acts[i].session)

(* The same, once each: no recorded message makes the lock act a second time. *)
ActsOnce == \A i, j \in DOMAIN acts : i # j => acts[i].m1 # acts[j].m1

(* Nobody without a token of their own is acted for: P2 has none for L1, whatever it has seen. *)
NobodyElse == \A i \in DOMAIN acts : acts[i].m1.who = "P1"

(* Rule 10: the phone says "granted" for L1 only after L1 granted this very request. Holds also when the
   phone's own key has leaked. *)
GrantedIsTrue ==
    "L1" \notin Leaked =>
        \A p \in PhoneSessions : phone[p].state = "granted" =>
            \A m \in phone[p].m1 : m.target = "L1" => m \in m2s

(* What was asked of the true lock stays secret although every static key leaks later. *)
SecretLater == \A m \in m1s : m.target = "L1" /\ m.m0 # AttackerEph => ~Computable(m, Known \cup AllStatics)

(* What was asked of somebody who only posed as the lock stays secret while the lock's key does. *)
SecretNow == "L1" \notin Leaked => \A m \in m1s : m.target = "L1" => ~Computable(m, Known)

(* To be violated, so that the model is known to reach an opening: no session ever ends well. *)
NeverOpens == ~(acts # <<>> /\ \E p \in PhoneSessions : phone[p].state = "granted")
=============================================================================
