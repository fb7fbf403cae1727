"""What the app asks of a telephone: every call is checked against Android's published API of that version."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mobile.engine.errors import HardwareKeyError, HardwareKeyGoneError
from mobile.engine.state import Bluetooth
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults
from tests.android.java import JavaException
from tests.android.phone import Phone
from tests.android.signing import signs_like_a_bearer
from tests.mobile.keychip import KeyChip

Take = Callable[..., Phone]
NEW = {"android.permission.BLUETOOTH_SCAN", "android.permission.BLUETOOTH_CONNECT"}
OLD = {"android.permission.ACCESS_FINE_LOCATION"}
VERSIONS = (26, 27, 28, 29, 30, 31, 33, 34, 35, 36)


def _granted(sdk: int) -> set[str]:
    return set(NEW if sdk >= 31 else OLD)


@pytest.mark.parametrize("sdk", VERSIONS)
def test_every_class_is_there_on_every_version(take: Take, sdk: int) -> None:
    take(sdk=sdk)
    from mobile.android import java

    java.find.cache_clear()
    java.load()


# -- Bluetooth ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", VERSIONS)
def test_every_state_of_bluetooth_is_told_apart(take: Take, sdk: int) -> None:
    phone = take(sdk=sdk)
    from mobile.android.adapter import PhoneAdapter

    adapter = PhoneAdapter()
    assert adapter.state() is Bluetooth.NO_PERMISSION
    phone.granted = _granted(sdk)
    assert adapter.state() is Bluetooth.ON
    phone.bluetooth = False
    assert adapter.state() is Bluetooth.OFF
    phone.bluetooth, phone.location = True, False
    assert adapter.state() is (Bluetooth.LOCATION_OFF if sdk <= 30 else Bluetooth.ON)


def test_a_telephone_without_bluetooth(take: Take) -> None:
    take(adapter=False, granted=_granted(34))
    from mobile.android.adapter import PhoneAdapter

    assert PhoneAdapter().state() is Bluetooth.NO_ADAPTER


def test_turning_bluetooth_or_location_off_is_heard_at_once(take: Take) -> None:
    phone = take(granted=_granted(34))
    from mobile.android.adapter import PhoneAdapter

    adapter, heard = PhoneAdapter(), []
    leave = adapter.watch(lambda: heard.append(adapter.state()))
    phone.bluetooth = False
    phone.broadcast("android.bluetooth.adapter.action.STATE_CHANGED")
    phone.broadcast("android.location.MODE_CHANGED")
    assert heard == [Bluetooth.OFF, Bluetooth.OFF]
    leave()
    phone.broadcast("android.location.MODE_CHANGED")
    assert len(heard) == 2
    adapter.close()
    assert not phone.receivers[0].running


# -- permissions --------------------------------------------------------------------------------------------


def test_new_telephones_are_never_asked_for_a_place(take: Take) -> None:
    phone = take(sdk=31)
    from mobile.android import device
    from mobile.android.adapter import PhoneAdapter

    device.Phone(PhoneAdapter()).mend(Bluetooth.NO_PERMISSION)
    assert [set(names) for names in phone.asked] == [NEW]


def test_old_telephones_are_asked_for_the_one_thing_that_android_demands(take: Take) -> None:
    phone = take(sdk=30)
    from mobile.android import device
    from mobile.android.adapter import PhoneAdapter

    device.Phone(PhoneAdapter()).mend(Bluetooth.NO_PERMISSION)
    assert [set(names) for names in phone.asked] == [OLD]


@pytest.mark.parametrize("explains", [True, False])
def test_a_refusal_for_good_leads_to_the_settings(take: Take, explains: bool) -> None:
    phone = take(answer=False, explains=explains)
    from mobile.android import device
    from mobile.android.adapter import PhoneAdapter

    device.Phone(PhoneAdapter()).mend(Bluetooth.NO_PERMISSION)
    pages = [(intent.action, intent.data.fake) for intent in phone.shown]
    own = ("android.settings.APPLICATION_DETAILS_SETTINGS", ("package", "se.nyckelfri.app", None))
    assert pages == ([] if explains else [own])


def test_an_answer_is_looked_at_at_once_and_the_question_is_no_reason_to_lock(take: Take) -> None:
    phone = take()
    from mobile.android import device
    from mobile.android.adapter import PhoneAdapter

    adapter, heard = PhoneAdapter(), []
    adapter.watch(lambda: heard.append(adapter.state()))
    ports = device.Phone(adapter).device()
    assert not ports.is_asking()
    ports.mend(Bluetooth.NO_PERMISSION)
    assert ports.is_asking()
    assert heard == [Bluetooth.ON]
    ports.seen_again()
    assert not ports.is_asking()
    assert phone.granted == NEW


@pytest.mark.parametrize(
    ("state", "page"),
    [
        (Bluetooth.OFF, "android.bluetooth.adapter.action.REQUEST_ENABLE"),
        (Bluetooth.LOCATION_OFF, "android.settings.LOCATION_SOURCE_SETTINGS"),
    ],
)
def test_what_is_off_is_turned_on_by_androids_own_question(take: Take, state: Bluetooth, page: str) -> None:
    phone = take(granted=_granted(34))
    from mobile.android import device
    from mobile.android.adapter import PhoneAdapter

    device.Phone(PhoneAdapter()).mend(state)
    assert [intent.action for intent in phone.shown] == [page]


# -- shaking, dialling, hiding ------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", VERSIONS)
def test_a_result_is_felt(take: Take, sdk: int) -> None:
    phone = take(sdk=sdk)
    from mobile.android import device
    from mobile.android.adapter import PhoneAdapter

    device.Phone(PhoneAdapter()).vibrate((0.15, 0.1, 0.15))
    assert phone.shaken == [[0, 150, 100, 150]]


def test_a_number_is_filled_in_and_the_person_presses_call(take: Take) -> None:
    phone = take()
    from mobile.android import device

    device.dial("010-5550100")
    assert [(i.action, i.data.fake) for i in phone.shown] == [
        ("android.intent.action.DIAL", ("tel", "010-5550100", None))
    ]


def test_a_tablet_without_a_dialler_does_not_fall_over(take: Take, caplog: pytest.LogCaptureFixture) -> None:
    take(no_page=True)
    from mobile.android import device

    with caplog.at_level(logging.WARNING):
        device.dial("010-5550100")
    assert "ActivityNotFoundException" in caplog.text
    assert "tel:" not in caplog.text


@pytest.mark.parametrize("sdk", VERSIONS)
def test_nobody_else_sees_the_window(take: Take, sdk: int) -> None:
    phone = take(sdk=sdk)
    from mobile.android import screen

    screen.hide()
    expected = [("flags", 0x2000)]
    expected += [("overlays hidden", True)] if sdk >= 31 else []
    expected += [("recents", False)] if sdk >= 33 else []
    assert phone.window == expected


@pytest.mark.parametrize("sdk", VERSIONS)
def test_the_window_stays_between_the_bars(take: Take, sdk: int) -> None:
    phone = take(sdk=sdk)
    from mobile.android import screen

    screen.stay_clear_of_the_bars()
    assert phone.window == ([("between the bars", True), ("insets", None)] if sdk >= 35 else [])


@pytest.mark.parametrize("dark", [True, False])
def test_the_telephones_own_dark_is_seen(take: Take, dark: bool) -> None:
    take(dark=dark)
    from mobile.android import device

    assert device.is_dark() is dark
    assert device.model() == "Exempel E1 Android 14"


# -- links --------------------------------------------------------------------------------------------------

LINK = "nyckelfri://enrol?server=https%3A%2F%2Fnyckel.exempel.se&code=K7QF-2M9X&root=" + "ab" * 32


def test_a_scanned_code_starts_the_app_once(take: Take) -> None:
    take(link=LINK)
    from mobile.android import links

    assert links.first() == LINK
    assert links.first() == "", "a window that Android makes anew must not enrol anew"


def test_an_old_link_among_the_recent_apps_is_not_taken_again(take: Take) -> None:
    take(link=LINK, link_flags=0x00100000)
    from mobile.android import links

    assert links.first() == ""


@pytest.mark.parametrize("other", [None, "", "https://exempel.se/", "tel:112", "nyckelfri:enrol"])
def test_what_is_no_link_of_ours_is_left_alone(take: Take, other: str | None) -> None:
    take(link=other)
    from mobile.android import links

    assert links.first() == ""


def test_a_code_scanned_while_the_app_runs_arrives(take: Take) -> None:
    phone = take()
    from mobile.android import links

    arrived: list[str] = []
    links.follow(arrived.append)
    for link in (LINK, None, "https://exempel.se/"):
        phone.on_new_intent[0](phone.intent(link))
    assert arrived == [LINK]


# -- the thread that Java makes -----------------------------------------------------------------------------


def test_the_engines_thread_knows_the_apps_classes_and_pythons_own_does_not(take: Take) -> None:
    phone = take()
    from mobile.android.thread import JavaThread
    from mobile.engine.thread import EngineThread

    async def ask() -> tuple[bool, str]:
        return phone.java.knows_the_app(), threading.current_thread().name

    for make, known in ((JavaThread, True), (None, False)):
        thread = EngineThread(make) if make else EngineThread()
        thread.start()
        assert thread.submit(ask()).result(5) == (known, "nyckelfri-engine")
        thread.stop()


def test_an_error_does_not_travel_into_java(take: Take, caplog: pytest.LogCaptureFixture) -> None:
    take()
    from mobile.android.thread import JavaThread

    def fail() -> None:
        raise RuntimeError("the PIN is 493817")

    thread = JavaThread(fail)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert "RuntimeError" in caplog.text
    assert "493817" not in caplog.text


# -- keys in hardware ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", VERSIONS)
@pytest.mark.parametrize("strongbox", [True, False])
def test_keys_are_made_used_and_destroyed_in_hardware(take: Take, sdk: int, strongbox: bool) -> None:
    phone = take(sdk=sdk, strongbox=strongbox)
    from mobile.android.keystore import hardware_keys

    keys = hardware_keys()
    assert keys is not None
    assert keys.level == ("strongbox" if strongbox and sdk >= 28 else "tee")
    assert keys.names() == [], "nothing is left of the try"
    keys.create("b1.1")
    first = keys.mac("b1.1", b"stretched PIN")
    assert len(first) == 32
    keys.create("b1.1")
    assert keys.mac("b1.1", b"stretched PIN") == first, "one that is there is left as it is"
    keys.create("b2.1")
    assert keys.mac("b2.1", b"stretched PIN") != first
    phone.keys["somebody-elses"] = b"x" * 32
    phone.keys["nyckelfri.probe"] = b"a power cut left it behind"
    assert keys.names() == ["b1.1", "b2.1"]
    keys.delete("b1.1")
    keys.delete("b1.1")
    assert keys.names() == ["b2.1"]
    with pytest.raises(HardwareKeyGoneError):
        keys.mac("b1.1", b"stretched PIN")


@pytest.mark.parametrize("sdk", VERSIONS)
@pytest.mark.parametrize("strongbox", [True, False])
def test_a_bearers_own_key_is_made_in_hardware_and_opens_a_door(
    take: Take, sdk: int, strongbox: bool
) -> None:
    phone = take(sdk=sdk, strongbox=strongbox)
    from mobile.android.keystore import hardware_keys

    keys = hardware_keys()
    assert keys is not None
    signs_like_a_bearer(keys)
    assert not phone.keys


def test_a_key_chip_for_tests_signs_as_a_telephone_does() -> None:
    signs_like_a_bearer(KeyChip())


@pytest.mark.parametrize("sdk", [26, 31])
def test_a_bearers_key_that_software_would_hold_is_not_made(take: Take, sdk: int) -> None:
    phone = take(sdk=sdk, signers_in_software=True)
    from mobile.android.keystore import hardware_keys

    keys = hardware_keys()
    assert keys is not None
    assert keys.create_signer("b1.door") is None
    assert not phone.keys


@pytest.mark.parametrize("sdk", [26, 30, 31, 35])
def test_keys_in_software_alone_are_not_offered(take: Take, sdk: int) -> None:
    phone = take(sdk=sdk, hardware=False)
    from mobile.android.keystore import hardware_keys

    assert hardware_keys() is None
    assert not phone.keys


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("android.security.keystore.KeyPermanentlyInvalidatedException", HardwareKeyGoneError),
        ("java.security.UnrecoverableKeyException", HardwareKeyGoneError),
        ("java.security.ProviderException", HardwareKeyError),
        ("java.security.KeyStoreException", HardwareKeyError),
        ("android.security.keystore.StrongBoxUnavailableException", HardwareKeyError),
    ],
)
def test_a_keystore_that_fails_says_how_and_quotes_nothing(
    take: Take, fault: str, kind: type[HardwareKeyError]
) -> None:
    phone = take()
    from mobile.android.keystore import hardware_keys

    keys = hardware_keys()
    assert keys is not None
    keys.create("b1")
    phone.key_fault = fault
    for work in (
        lambda: keys.mac("b1", b"x"),
        keys.names,
        lambda: keys.create("b2"),
        lambda: keys.delete("b1"),
        lambda: keys.create_signer("b1.door"),
        lambda: keys.sign("b1", b"x"),
    ):
        with pytest.raises(HardwareKeyError) as raised:
            work()
        assert type(raised.value) is kind
        assert raised.value.details == {"why": fault.rsplit(".", 1)[1]}
        assert "anything" not in str(raised.value)
    assert hardware_keys() is None


async def test_a_vault_rests_on_the_phones_hardware(take: Take, tmp_path: Path) -> None:
    """Made, opened and wiped with the Keystore behind it; on another phone the right PIN opens nothing."""
    phone = take()
    from mobile.android.keystore import hardware_keys

    cheap = Cost(memory_kib=64, passes=1, lanes=1)
    vaults = Vaults(tmp_path, hardware=hardware_keys(), cost=cheap)
    (await vaults.create("b1", "493817", b"rights")).close()
    made = dict(phone.keys)
    assert made
    opened = await vaults.unlock("b1", "493817")
    assert opened.content == b"rights"
    opened.close()
    phone.keys.clear()
    with pytest.raises(HardwareKeyGoneError):
        await Vaults(tmp_path, hardware=hardware_keys(), cost=cheap).unlock("b1", "493817")
    phone.keys.update(made)
    vaults.wipe("b1")
    assert phone.keys == {}


def test_java_is_met_nowhere_else(take: Take) -> None:
    """The stand-in itself: what is not published on this version is refused."""
    phone = take(sdk=30)
    with pytest.raises(JavaException):
        phone.java.find("android.os.VibratorManager")
    activity = phone.java.find("org.kivy.android.PythonActivity").mActivity
    with pytest.raises(AssertionError):
        activity.setRecentsScreenshotEnabled(False)
    with pytest.raises(AssertionError):
        activity.checkSelfPermission(7)
