"""What can go wrong for a person or a device: codes, HTTP status, and plain words in Swedish and English.

Domain code raises `Problem`; the API answers it as {"code", "message_sv", "message_en", "details"}. Codes
never change; texts may.
"""

from __future__ import annotations

from typing import Any

TEXTS: dict[str, tuple[int, str, str]] = {
    # code: (status, Swedish, English)
    "invalid": (400, "Uppgifterna går inte att läsa.", "The request cannot be read."),
    "not_found": (404, "Det finns inte.", "It does not exist."),
    "method_not_allowed": (405, "Så kan adressen inte användas.", "This address cannot be used like that."),
    "unsupported_media_type": (415, "Skicka JSON.", "Send JSON."),
    "not_acceptable": (406, "Svaret finns bara som JSON.", "The answer is JSON only."),
    "too_large": (413, "För mycket på en gång.", "Too much at once."),
    "throttled": (429, "För många försök. Vänta en stund.", "Too many attempts. Wait a moment."),
    "keys_missing": (
        503,
        "Kommunen har inga nycklar på servern ännu.",
        "The municipality has no keys at the server yet.",
    ),
    "server_error": (500, "Något gick fel på servern.", "Something went wrong at the server."),
    "api_key_unknown": (
        401,
        "Nyckeln finns inte eller är avstängd. Skapa en ny i administrationen.",
        "There is no such key, or it is shut out. Make a new one in the administration.",
    ),
    "scope_missing": (
        403,
        "Nyckeln får inte importera sådana rader.",
        "The key may not import such rows.",
    ),
    "rows_refused": (
        422,
        "Inget är importerat: rätta raderna, eller be om att de riktiga importeras.",
        "Nothing is imported: mend the rows, or ask for the good ones to be imported.",
    ),
    "import_clash": (
        409,
        "Någon ändrade samma rader samtidigt. Skicka igen.",
        "Somebody changed the same rows at the same time. Send it again.",
    ),
    "not_permitted": (403, "Du får inte göra det här.", "You may not do this."),
    "device_unknown": (
        401,
        "Telefonen är inte registrerad. Registrera den med en ny kod.",
        "The phone is not enrolled. Enrol it with a new code.",
    ),
    "phone_revoked": (403, "Telefonen är spärrad.", "The phone is revoked."),
    "bearer_revoked": (
        403,
        "Din nyckel på den här telefonen är spärrad. Registrera telefonen på nytt.",
        "Your key on this phone is revoked. Enrol the phone again.",
    ),
    "session_missing": (401, "Logga in för att hämta nycklar.", "Sign in to fetch keys."),
    "second_factor_required": (
        403,
        "Inloggning med engångskod krävs. Be samordnaren om hjälp att skaffa en.",
        "Signing in with a one-time code is required. Ask the coordinator to set it up.",
    ),
    "bearer_unknown": (
        403,
        "Du är inte registrerad på den här telefonen.",
        "You are not enrolled on this phone.",
    ),
    "app_too_old": (426, "Appen är för gammal. Uppdatera den.", "The app is too old. Update it."),
    "code_unknown": (404, "Koden finns inte. Kontrollera den.", "There is no such code. Check it."),
    "code_used": (409, "Koden är redan använd. Be om en ny.", "The code has been used. Ask for a new one."),
    "code_expired": (410, "Koden har gått ut. Be om en ny.", "The code has expired. Ask for a new one."),
    "key_in_use": (
        409,
        "Telefonens nyckel är redan registrerad. Börja om i appen.",
        "The phone's key is enrolled already. Start over in the app.",
    ),
    "key_unusable": (400, "Telefonens nyckel duger inte.", "The phone's key cannot be used."),
    "cursor_invalid": (
        400,
        "Synkroniseringen måste börja om från början.",
        "Synchronising must start over from the beginning.",
    ),
    "municipality_unknown": (404, "Servern har ingen kommun ännu.", "The server has no municipality yet."),
    "binding_unknown": (404, "Dörren finns inte bland dina.", "This door is not one of yours."),
    "door_unknown": (404, "Dörren finns inte.", "There is no such door."),
    "identity_invalid": (
        400,
        "Låsets identitet går inte att läsa. Läs av låset igen.",
        "The lock's identity cannot be read. Read it from the lock again.",
    ),
    "lock_name_taken": (409, "Namnet på låset är upptaget.", "Another lock has this name."),
    "lock_foreign": (409, "Låset tillhör en annan kommun.", "The lock belongs to another municipality."),
    "lock_retired": (409, "Låset är skrotat.", "The lock is retired."),
    "door_has_lock": (
        409,
        "Dörren har redan ett lås. Avsluta det först.",
        "The door has a lock already. End that one first.",
    ),
    "consent_missing": (
        409,
        "Medgivande saknas. Låset får inte monteras än.",
        "Consent is missing. The lock must not be mounted yet.",
    ),
    "right_foreign": (
        409,
        "Medarbetaren och gruppen måste höra till den utförare som behörigheten ges för.",
        "Staff member and team must belong to the care provider that the right is given for.",
    ),
    "client_unknown": (
        404,
        "Ingen av era brukare har den larmkoden eller dörren.",
        "None of your clients has this alarm code or door.",
    ),
    "nothing_to_open": (
        409,
        "Här finns inget att öppna. Ring trygghetsjouren.",
        "There is nothing to open here. Call the patrol.",
    ),
    "reviewed_already": (409, "Det är granskat redan.", "It has been reviewed already."),
    "own_review": (
        409,
        "Ingen granskar sin egen nödöppning. Be en kollega.",
        "Nobody reviews a right of their own. Ask a colleague.",
    ),
    "right_too_long": (
        409,
        "Sluttiden måste ligga framåt i tiden, men inom den längsta tid som är tillåten.",
        "The end must lie ahead, but within the longest time allowed.",
    ),
    "key_invalid": (400, "Telefonens nyckel går inte att läsa.", "The phone's key cannot be read."),
    "lock_unknown": (404, "Låset finns inte.", "There is no such lock."),
    "lock_not_mounted": (409, "Låset sitter inte på någon dörr.", "The lock is on no door."),
    "lock_is_there": (409, "Låset sitter redan på den dörren.", "The lock is on that door already."),
    "lock_not_confirmed": (
        409,
        "Låset på dörren har inte bekräftat sin driftsättning än.",
        "The lock on the door has not confirmed its commissioning yet.",
    ),
    "commissioning_not_pending": (
        409,
        "Ingen driftsättning väntar på låsets bekräftelse.",
        "No commissioning waits for the lock's confirmation.",
    ),
    "firmware_invalid": (
        400,
        "Filen är ingen programversion för lås som kommunen har skrivit under.",
        "The file is no release for locks that the municipality has signed.",
    ),
    "firmware_not_newer": (
        409,
        "En lika ny eller nyare programversion finns redan.",
        "A release that is as new or newer is there already.",
    ),
    "firmware_withdrawn": (409, "Programversionen är redan återkallad.", "The release is withdrawn already."),
    "firmware_unknown": (404, "Programversionen finns inte.", "There is no such release."),
    "order_unknown": (404, "Arbetsordern finns inte.", "There is no such work order."),
    "order_closed": (409, "Arbetsordern är avslutad.", "The work order is closed."),
    "deviation_closed": (409, "Avvikelsen är redan stängd.", "The deviation is closed already."),
    "deviation_without_door": (
        409,
        "Avvikelsen hör inte till någon dörr.",
        "The deviation belongs to no door.",
    ),
    "alarm_code_unknown": (404, "Larmkoden finns inte.", "There is no such alarm code."),
    "alarm_time_unlikely": (
        400,
        "Larmets tid stämmer inte med serverns klocka.",
        "The alarm's time does not agree with the server's clock.",
    ),
    "alarm_taken": (409, "Någon annan har tagit larmet.", "Somebody else has taken the alarm."),
    "alarm_ended": (410, "Larmet är avslutat.", "The alarm has ended."),
    "external_id_taken": (
        409,
        "Ditt id är redan använt för ett annat larm.",
        "Your id has been used for another alarm.",
    ),
    "not_on_duty": (409, "Personen är inte i tjänst just nu.", "This person is not on duty now."),
    "system_unknown": (
        401,
        "Nyckeln är okänd eller spärrad. Skapa en ny i administrationen.",
        "The key is unknown or revoked. Make a new one in the administration.",
    ),
    "consent_ended": (
        409,
        "Medgivandet gäller inte längre. Det finns inget att återkalla.",
        "The consent no longer holds. There is nothing to withdraw.",
    ),
    "withdrawal_missing": (409, "Medgivandet är inte återkallat.", "The consent is not withdrawn."),
    "withdrawal_day_unfit": (
        400,
        "Välj en senaste dag, minst ett dygn och högst 90 dagar framåt.",
        "Choose a latest day, at least 24 hours and at most 90 days ahead.",
    ),
    "document_too_large": (413, "Dokumentet är större än 5 MB.", "The document is larger than 5 MB."),
    "document_unreadable": (
        400,
        "Dokumentet måste vara en hel PDF, JPEG eller PNG.",
        "The document must be a whole PDF, JPEG or PNG.",
    ),
    "documents_too_many": (
        409,
        "Medgivandet har redan fem dokument.",
        "The consent has five documents already.",
    ),
    "client_already_so": (409, "Det är redan så.", "It is so already."),
    "client_not_so": (409, "Det finns inget att ångra.", "There is nothing to take back."),
    "keys_already_so": (409, "Det är redan antecknat.", "That is on record already."),
    "keys_still_needed": (
        409,
        "Metallnycklarna behövs än. Se listan över vad som fattas.",
        "The metal keys are still needed. See the list of what is missing.",
    ),
    "binding_ended": (409, "Monteringen är avslutad.", "This binding has ended."),
    "practice_lock": (
        409,
        "Det är ett övningslås. Det får bara sitta på en övningsplats.",
        "This is a practice lock. It may sit at a practice place only.",
    ),
    "practice_lock_only": (
        409,
        "På en övningsplats får bara övningslås sitta. Ta ner låset och märk det som övningslås först.",
        "A practice place takes practice locks only. Take the lock down and mark it as one first.",
    ),
    "ceremony_open": (
        409,
        "Ett nyckelmanifest väntar redan på underskrifter. Slutför eller återkalla det först.",
        "A key manifest waits for signatures already. Finish it or withdraw it first.",
    ),
    "ceremony_closed": (
        409,
        "Förslaget är redan avslutat.",
        "This proposal is closed already.",
    ),
    "ceremony_empty": (409, "Det finns inget att ändra.", "There is nothing to change."),
    "ceremony_unreadable": (
        400,
        "Filen är ingen underskriftsfil. Hämta den på nytt och skriv under den.",
        "The file is no ceremony file. Download it again and sign it.",
    ),
    "ceremony_foreign": (
        409,
        "Filen hör till ett annat förslag. Hämta det här förslagets fil och skriv under den.",
        "The file belongs to another proposal. Download this proposal's file and sign it.",
    ),
    "ceremony_unsigned": (
        409,
        "Underskrifter saknas. Se vilka rotnycklar som återstår.",
        "Signatures are missing. See which root keys remain.",
    ),
    "signature_invalid": (
        409,
        "En underskrift gäller inte: fel nyckel, eller något annat än förslaget. Inget är mottaget.",
        "A signature does not hold: a wrong key, or something else than the proposal. Nothing was taken in.",
    ),
    "manifest_refused": (
        409,
        "Manifestet skulle inte godtas av låsen. Återkalla det och gör ett nytt.",
        "Locks would not accept this manifest. Withdraw it and make a new one.",
    ),
    "manifest_too_large": (
        409,
        "Manifestet rymmer inte fler nycklar. Ta bort avlösta nycklar först.",
        "The manifest holds no more keys. Drop superseded keys first.",
    ),
    "key_last": (
        409,
        "En roll skulle stå utan nyckel. Byt nyckeln i stället.",
        "A role would be left without a key. Renew the key instead.",
    ),
    "key_unknown_here": (
        404,
        "Nyckeln står inte i det gällande manifestet.",
        "This key is not in the manifest in force.",
    ),
    "roots_invalid": (
        400,
        "Ange två till fem olika rotnycklar, 64 hexadecimala tecken var. Minst två måste skriva under.",
        "Give two to five different root keys of 64 hexadecimal digits each. At least two must sign.",
    ),
    "practice_nowhere": (
        409,
        "Det finns inget övningslås för dig än. Fråga samordnaren.",
        "There is no practice lock for you yet. Ask the coordinator.",
    ),
}


class Problem(Exception):  # noqa: N818 - it is what the API calls a problem (RFC 9457), not a bug
    """Something a person or device must be told; `code` is a key of `TEXTS`."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details

    @property
    def status(self) -> int:
        """The HTTP status."""
        return TEXTS[self.code][0]

    def as_dict(self) -> dict[str, Any]:
        """The problem as the API answers it."""
        _status, swedish, english = TEXTS[self.code]
        return {"code": self.code, "message_sv": swedish, "message_en": english, "details": self.details}
