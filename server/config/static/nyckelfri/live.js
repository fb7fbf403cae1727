// The live board: keeps a websocket open, shows passages newest news first, and says how it stands.
"use strict";

(function () {
  const board = document.getElementById("live-board");
  if (!board) {
    return;
  }
  const body = board.querySelector("tbody");
  const empty = document.getElementById("live-empty");
  const state = document.getElementById("live-state");
  const words = board.dataset;
  const MOST_ROWS = 300;
  const LONGEST_WAIT_MS = 15000;
  const FORBIDDEN = 4403;
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: "Europe/Stockholm",
    dateStyle: "short",
    timeStyle: "medium",
  });
  let wait = 500;

  function say(name) {
    state.textContent = words[name];
    state.dataset.state = name;
  }

  function delay(passage) {
    const seconds = Math.round((new Date(passage.known_at) - new Date(passage.happened_at)) / 1000);
    if (seconds < 60) {
      return words.atOnce;
    }
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) {
      return words.minutesLater.replace("0", minutes);
    }
    const hours = Math.round(minutes / 60);
    return hours < 48 ? words.hoursLater.replace("0", hours) : words.daysLater.replace("0", Math.round(hours / 24));
  }

  function cell(row, text, className, note) {
    const element = document.createElement("td");
    const line = document.createElement("span");
    line.textContent = text || "–";
    element.className = className;
    element.append(line);
    if (note) {
      const small = document.createElement("small");
      small.textContent = note;
      element.append(small);
    }
    row.append(element);
  }

  function rowOf(passage) {
    const row = document.createElement("tr");
    row.id = "passage-" + passage.id;
    row.dataset.tone = passage.tone;
    row.dataset.known = passage.known_at;
    cell(row, passage.what, "what", passage.class);
    cell(row, passage.door, "door", passage.lock);
    cell(row, passage.who, "who", passage.provider);
    cell(row, format.format(new Date(passage.happened_at)), "time", passage.time_uncertain ? words.uncertain : "");
    cell(row, format.format(new Date(passage.known_at)), "time", delay(passage));
    return row;
  }

  function show(passages, isNew) {
    // They come newest first; inserted from the oldest, each on top.
    for (const passage of passages.slice().reverse()) {
      const known = document.getElementById("passage-" + passage.id);
      if (known) {
        continue;
      }
      const row = rowOf(passage);
      row.classList.toggle("is-new", isNew);
      body.prepend(row);
    }
    while (body.rows.length > MOST_ROWS) {
      body.deleteRow(-1);
    }
    board.hidden = body.rows.length === 0;
    empty.hidden = body.rows.length !== 0;
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(scheme + location.host + "/ws/passages/");
    socket.addEventListener("open", function () {
      wait = 500;
      say("connected");
    });
    socket.addEventListener("message", function (event) {
      const message = JSON.parse(event.data);
      show(message.passages, message.type === "new");
    });
    socket.addEventListener("close", function (event) {
      if (event.code === FORBIDDEN) {
        say("forbidden");
        return;
      }
      say("reconnecting");
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  }

  say("connecting");
  connect();
})();
