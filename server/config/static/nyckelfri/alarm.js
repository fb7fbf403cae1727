// The page of one alarm: fetches the part that changes every few seconds, and says so when it cannot.
"use strict";

(function () {
  const picture = document.getElementById("alarm-picture");
  if (!picture) {
    return;
  }
  const lost = document.getElementById("alarm-lost");
  const WAIT_MS = 2000;
  const LONGEST_WAIT_MS = 20000;
  const TRIES_BEFORE_SAYING = 3;
  let failures = 0;

  function stillMatters() {
    const head = picture.querySelector(".alarm-head");
    return head.dataset.open === "yes" || head.dataset.arrived === "no";
  }

  function again() {
    if (stillMatters()) {
      const slow = picture.querySelector(".alarm-head").dataset.open === "no";
      window.setTimeout(look, slow ? LONGEST_WAIT_MS : Math.min(WAIT_MS * (failures + 1), LONGEST_WAIT_MS));
    }
  }

  function show(text) {
    const fresh = document.createElement("template");
    fresh.innerHTML = text;
    if (!fresh.content.querySelector(".alarm-head")) {
      throw new Error("signed out");
    }
    const wasOpen = picture.querySelector(".alarm-head").dataset.open;
    const focused = document.activeElement && picture.contains(document.activeElement) ? document.activeElement.id : "";
    if (!focused) {
      picture.replaceChildren(fresh.content);
    }
    if (picture.querySelector(".alarm-head").dataset.open !== wasOpen) {
      window.location.reload();
    }
  }

  async function look() {
    try {
      const answer = await window.fetch(picture.dataset.url, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      show(await answer.text());
      failures = 0;
    } catch {
      failures += 1;
    }
    lost.hidden = failures < TRIES_BEFORE_SAYING;
    again();
  }

  again();
})();
