// Fetches the proof of a provider switch anew while something in it can still change.
"use strict";

(() => {
  const part = document.getElementById("proof");
  const address = part && part.dataset.url;
  if (!address) return;
  const EVERY_MS = 10000;

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(address, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      if (text !== part.dataset.shown) {
        const wasOpen = Boolean(part.querySelector("details.alive[open]"));
        part.dataset.shown = text;
        part.innerHTML = text;
        if (wasOpen) part.querySelector("details.alive")?.setAttribute("open", "");
      }
    } catch (error) {
      if (!part.querySelector(".lost-contact")) {
        const note = document.createElement("p");
        note.className = "working lost-contact";
        note.textContent = part.dataset.failed;
        part.prepend(note);
      }
    }
  }

  window.setInterval(look, EVERY_MS);
})();
