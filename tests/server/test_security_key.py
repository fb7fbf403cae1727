"""A security key (WebAuthn) as second factor, in a real browser with a virtual authenticator."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.server.fill import PASSWORD, USERNAME
from tests.server.running import RunningServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium to run this"),
]
KEY = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_security_key_is_set_up_and_then_asked_for(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    server.migrate()
    server.run("from tests.server.fill import fill; fill(totp=False)")
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            context = browser.new_context(base_url=server.url)
            page = context.new_page()
            complaints: list[str] = []
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            tools = context.new_cdp_session(page)
            tools.send("WebAuthn.enable")
            tools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})

            page.goto("/accounts/login/")
            page.locator("#id_login").fill(USERNAME)
            page.locator("#id_password").fill(PASSWORD)
            page.get_by_role("button", name="Logga in").click()
            page.wait_for_url("**/accounts/reauthenticate/**")
            page.goto("/admin/")
            assert "/accounts/reauthenticate/" in page.url, "nothing opens before there is a second factor"
            page.goto("/accounts/2fa/webauthn/add/")
            page.locator("#id_password").fill(PASSWORD)
            page.get_by_role("button", name="Verifiera").click()
            page.locator("#mfa_webauthn_add").click()
            page.wait_for_url("**/accounts/2fa/recovery-codes/**")
            answer = page.goto("/accounts/2fa/webauthn/")
            assert answer is not None and answer.status == 200, "the list of one's keys"
            page.goto("/admin/")
            expect(page.get_by_role("heading", name="Hej Petra")).to_be_visible()

            context.clear_cookies()
            page.goto("/accounts/login/")
            page.locator("#id_login").fill(USERNAME)
            page.locator("#id_password").fill(PASSWORD)
            page.get_by_role("button", name="Logga in").click()
            page.wait_for_url("**/accounts/2fa/authenticate/**")
            page.locator("#mfa_webauthn_authenticate").click()
            page.wait_for_url("**/admin/")
            assert complaints == []
            browser.close()
    finally:
        server.stop()
