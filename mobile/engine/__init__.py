"""The phone's engine: Bluetooth, HTTP and the vault, on a thread of its own, without a screen.

engine      the facade's verbs, each handed to the part it is for; setup and parts put it together
content     what the vault holds; keyring changes it durably; vault and storage shut it
http        the kept client; answers reads it strictly; enrolment, login, sync and courier are its callers
merge       verifies what a sync brought, under the roots pinned at enrolment
scanner     the one long scan; nearby classes its signals; radio is the one place that touches bleak
openings    taps; attempt works on one, over a link, in a conversation; verdicts say how it ended
board       the newest snapshot; views make it from the content; state and facade are what screens see
"""
