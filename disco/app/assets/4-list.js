/* The list: rows and the transitions between them; lock, drag, throw out, ask for another, keep together, correct. */
(function () {
  "use strict";
  const { make, icon, button, clock, bpm, say, isCalm } = window.disco;
  const state = window.disco.state;
  const GLIDE_MS = 320;
  let view = null;
  let current = null; // id of the row whose buttons can be reached with the tab key
  let opened = null; // id of the row with an open panel

  const list = () => document.getElementById("tracks");
  const isList = () => state.get().tracks.length > 0;

  /* ---- changes ---- */

  const pinOf = (id) => state.get().pins.find((pin) => pin[1] === id);

  function position(id) {
    const row = view.rows.find((one) => one.id === id);
    return row ? row.position : 0;
  }

  function lock(id, on) {
    const pins = state.get().pins.filter((pin) => pin[1] !== id && pin[0] !== position(id));
    if (on) pins.push([position(id), id]);
    state.change({ pins: pins.sort((a, b) => a[0] - b[0]) });
  }

  function throwOut(id) {
    const now = state.get();
    const pins = now.pins.filter((pin) => pin[1] !== id);
    const together = now.together.filter((group) => !group.includes(id));
    if (!isList() && now.seeds.includes(id)) {
      setSeeds(now.seeds.filter((seed) => seed !== id), { pins });
    } else {
      state.change({ out: [...now.out, id], pins, together });
    }
    say("Thrown out. Undo brings it back.");
  }

  /* Change the seeds; what is pinned behind them moves along. */
  function setSeeds(seeds, more) {
    const now = state.get();
    const moved = seeds.length - now.seeds.length;
    const pins = ((more && more.pins) || now.pins).filter((pin) => !seeds.includes(pin[1])).map((pin) => [Math.max(pin[0] + moved, seeds.length + 1), pin[1]]);
    const out = now.out.filter((id) => !seeds.includes(id));
    state.change(Object.assign({}, more, { seeds, pins, out }));
  }

  /* Put a track at another position. Among the seeds it becomes one; behind them it is locked there. */
  function move(id, to) {
    const now = state.get();
    const from = position(id);
    to = Math.min(Math.max(to, 1), view.rows.length);
    if (!from || to === from) return;
    if (!isList()) {
      const seeds = now.seeds.filter((seed) => seed !== id);
      const was = now.seeds.includes(id);
      if (to <= now.seeds.length || (was && to <= seeds.length)) {
        seeds.splice(to - 1, 0, id);
        setSeeds(seeds);
        return;
      }
      if (was) {
        if (!seeds.length) { say("The playlist needs a song to begin with."); return; }
        const pins = now.pins.filter((pin) => pin[0] !== to);
        state.change({ seeds, pins: [...pins, [to, id]] });
        return;
      }
    }
    const others = now.pins.filter((pin) => pin[1] !== id && pin[0] !== to);
    state.change({ pins: [...others, [to, id]].sort((a, b) => a[0] - b[0]) });
    say("Moved to position " + to + " and locked there.");
  }

  function put(id, at) {
    const now = state.get();
    const old = view.rows[at - 1].id;
    const pins = now.pins.filter((pin) => pin[0] !== at && pin[1] !== old);
    if (now.seeds.includes(old)) {
      state.change({ seeds: now.seeds.map((seed) => (seed === old ? id : seed)), pins });
    } else {
      state.change({ pins: [...pins, [at, id]].sort((a, b) => a[0] - b[0]) });
    }
  }

  function together(first, second) {
    const now = state.get();
    const on = areTogether(first, second);
    if (isList()) {
      const groups = now.together.filter((group) => !(group.includes(first) || group.includes(second)));
      state.change({ together: on ? groups : [...groups, [first, second]] });
      return;
    }
    let pins = now.pins.filter((pin) => pin[1] !== first && pin[1] !== second);
    if (!on) for (const id of [first, second]) if (!now.seeds.includes(id)) pins.push([position(id), id]);
    state.change({ pins: pins.sort((a, b) => a[0] - b[0]) });
  }

  function areTogether(first, second) {
    const now = state.get();
    if (isList()) return now.together.some((group) => group.includes(first) && group.includes(second));
    const held = (id) => now.seeds.includes(id) || pinOf(id);
    return Boolean(held(first) && held(second) && !(now.seeds.includes(first) && now.seeds.includes(second)));
  }

  /* ---- drawing ---- */

  function joinRow(join, first, second) {
    const on = areTogether(first.id, second.id);
    const told = join.problems.length ? join.reason + ". " + join.problems.join("; ") : join.reason;
    return make("div", { class: "join " + join.grade, title: told },
      make("span", { class: "dot", "aria-hidden": "true" }),
      make("span", { class: "join-key " + join.key, text: join.move }),
      make("span", { class: "join-tempo " + join.tempo, text: join.change.replace(/^(.*, )?tempo /, "$1") }),
      join.sound === "fair" || join.sound === "clash" ? make("span", { class: "join-sound " + join.sound, text: join.sound === "fair" ? "sounds a little different" : "sounds far away" }) : null,
      make("span", { class: "join-grade", text: { good: "", fair: "fair", clash: "clash", unknown: "?" }[join.grade] }),
      make("span", { class: "join-why", text: join.problems.join("; ") }),
      make("span", { class: "sr", text: "Transition: " + join.grade + ". " + told }),
      make("span", { class: "join-tools" },
        first.file && second.file ? button("play", "Play the transition: 20 seconds of each", () => window.disco.player.transition(first, second), { tabindex: -1 }) : null,
        button("pair", on ? "No longer keep these two together" : "Keep these two together", () => together(first.id, second.id), { "aria-pressed": String(on), tabindex: -1 })));
  }

  function lockIcon() {
    const drawn = icon("lock");
    drawn.classList.add("held");
    return drawn;
  }

  function rowOf(row, join, before) {
    const locked = Boolean(pinOf(row.id));
    const held = row.seed && !isList();
    const item = make("li", { class: "track" + (row.seed ? " seed" : "") + (locked ? " locked" : "") + (row.known ? "" : " unknown"), "data-id": row.id, tabindex: row.id === current ? 0 : -1 });
    if (join) item.append(joinRow(join, before, row));
    const label = row.position + ". " + row.title + (row.artist ? " by " + row.artist : "");
    item.setAttribute("aria-label", label + (row.key ? ", key " + row.key : "") + (row.bpm ? ", " + bpm(row.bpm) + " BPM" : "") + (row.seed ? ", seed" : locked ? ", locked" : ""));
    const energy = row.energy === null ? null : make("span", { class: "energy", title: "energy " + row.energy.toFixed(2) }, make("i", { style: { width: Math.round(row.energy * 100) + "%" } }));
    const body = make("div", { class: "row" },
      make("span", { class: "grip", "aria-hidden": "true", title: "Drag to another position" }, make("span", { class: "number", text: row.position }), icon("grip")),
      make("button", { type: "button", class: "key", tabindex: -1, style: { background: row.colour }, text: row.key || "?", title: (row.key_name || "key unknown") + "; click to correct", "aria-label": "Key " + (row.key || "unknown") + ", correct it", onclick: () => toggle(item, row, correction) }),
      make("span", { class: "names" },
        make("span", { class: "title" }, make("span", { text: row.title }), locked ? lockIcon() : null),
        make("span", { class: "artist", text: row.artist || (row.known ? "" : "not in the catalogue: keeps its place") })),
      make("button", { type: "button", class: "bpm", tabindex: -1, text: bpm(row.bpm), title: "BPM; click to correct", "aria-label": bpm(row.bpm) + " BPM, correct it", onclick: () => toggle(item, row, correction) }),
      energy || make("span", { class: "energy none" }),
      make("span", { class: "time", text: clock(row.seconds) }),
      make("span", { class: "tools" },
        row.file ? button("play", "Play " + row.title, () => window.disco.player.track(row)) : null,
        row.spotify ? make("a", { class: "tool", href: row.spotify, target: "_blank", rel: "noopener noreferrer", title: "Open in Spotify", "aria-label": "Open " + row.title + " in Spotify" }, icon("link")) : null,
        button("other", "Five others for this place", () => toggle(item, row, choices)),
        held ? null : button(locked ? "lock" : "unlock", locked ? "Unlock" : "Lock here", () => lock(row.id, !locked), { "aria-pressed": String(locked) }),
        button("out", "Throw out", () => throwOut(row.id))));
    item.append(body);
    for (const tool of body.querySelectorAll(".tool")) tool.tabIndex = row.id === current ? 0 : -1;
    return item;
  }

  function signature(row, join, before) {
    return JSON.stringify([row, join, before && before.id, Boolean(pinOf(row.id)), join && areTogether(before.id, row.id)]);
  }

  /* Draw a view; rows that stay glide to their new places. */
  function draw(next) {
    const place = list();
    if (!place) return;
    const tops = new Map();
    const old = new Map();
    for (const item of place.children) {
      old.set(item.dataset.id, item);
      tops.set(item.dataset.id, item.getBoundingClientRect().top);
    }
    const focused = document.activeElement && place.contains(document.activeElement) ? document.activeElement.closest("li") : null;
    const hadFocus = focused && document.activeElement === focused;
    view = next;
    if (!view.rows.some((row) => row.id === current)) current = view.rows.length ? view.rows[0].id : null;
    const items = view.rows.map((row, i) => {
      const join = i ? view.joins[i - 1] : null;
      const before = i ? view.rows[i - 1] : null;
      const mark = signature(row, join, before);
      const known = old.get(row.id);
      if (known && known.dataset.mark === mark) return known;
      const item = rowOf(row, join, before);
      item.dataset.mark = mark;
      return item;
    });
    if (opened && !view.rows.some((row) => row.id === opened)) opened = null;
    place.replaceChildren(...items);
    if (hadFocus) {
      const again = items.find((item) => item.dataset.id === focused.dataset.id) || items[0];
      if (again) again.focus({ preventScroll: true });
    }
    if (isCalm() || !tops.size || items.length > 200) return;
    for (const item of items) {
      const before = tops.get(item.dataset.id);
      if (before === undefined) item.animate([{ opacity: 0 }, { opacity: 1 }], { duration: GLIDE_MS });
      else {
        const by = before - item.getBoundingClientRect().top;
        if (Math.abs(by) > 1) item.animate([{ transform: "translateY(" + by + "px)" }, { transform: "none" }], { duration: GLIDE_MS, easing: "cubic-bezier(.2,.7,.2,1)" });
      }
    }
  }

  /* ---- panels below a row ---- */

  function toggle(item, row, fill) {
    const old = item.querySelector(".panel");
    for (const panel of list().querySelectorAll(".panel")) panel.remove();
    if (old && old.dataset.kind === fill.name) { opened = null; return; }
    opened = row.id;
    const panel = make("div", { class: "panel", "data-kind": fill.name });
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { panel.remove(); opened = null; item.focus(); }
      event.stopPropagation();
    });
    item.append(panel);
    fill(panel, row);
  }

  async function choices(panel, row) {
    panel.append(make("p", { class: "soft", text: "Looking for others…" }));
    try {
      const found = await window.disco.server.post("/page/choices", { state: state.get(), position: row.position });
      if (!found.length) { panel.replaceChildren(make("p", { class: "soft", text: "No other track may stand here; loosen the filters." })); return; }
      panel.replaceChildren(make("p", { class: "soft", text: "Instead of “" + row.title + "”, best first:" }), ...found.map((one) => make("button", {
        type: "button", class: "choice", onclick: () => { panel.remove(); put(one.id, row.position); },
      }, make("span", { class: "dot " + one.grade, "aria-hidden": "true" }), make("span", { class: "key", style: { background: one.colour }, text: one.key || "?" }),
        make("span", { class: "names" }, make("span", { class: "title", text: one.title }), make("span", { class: "artist", text: one.artist }), make("span", { class: "why", text: one.reason })),
        make("span", { class: "bpm", text: bpm(one.bpm) }))));
      panel.querySelector("button").focus();
    } catch (error) {
      panel.replaceChildren(make("p", { class: "problem", text: error.message === "away" ? "The server does not answer." : error.message }));
    }
  }

  function correction(panel, row) {
    const key = make("input", { id: "correct-key", value: row.key || "", placeholder: "8A", maxlength: 12, autocomplete: "off" });
    const tempo = make("input", { id: "correct-bpm", value: row.bpm === null ? "" : row.bpm, placeholder: "124", maxlength: 8, inputmode: "decimal", autocomplete: "off" });
    const told = make("p", { class: "soft", role: "status", text: "Kept as a correction on this machine, for every command." });
    const form = make("form", { class: "correct", onsubmit: async (event) => {
      event.preventDefault();
      try {
        await window.disco.server.post("/page/correct", { id: row.id, key: key.value, bpm: String(tempo.value) });
        panel.remove();
        window.disco.page.askAgain();
        say("Kept.");
      } catch (error) {
        told.className = "problem";
        told.textContent = error.message === "away" ? "The server does not answer." : error.message;
      }
    } }, make("label", { for: "correct-key", text: "Key" }), key, make("label", { for: "correct-bpm", text: "BPM" }), tempo,
      make("button", { type: "submit", text: "Keep" }));
    panel.append(form, told);
    key.focus();
  }

  /* ---- pointer and keyboard ---- */

  function setCurrent(id) {
    current = id;
    for (const item of list().children) {
      const on = item.dataset.id === id;
      item.tabIndex = on ? 0 : -1;
      for (const tool of item.querySelectorAll(".row .tool")) tool.tabIndex = on ? 0 : -1;
    }
  }

  function keydown(event) {
    const item = event.target.closest("li.track");
    if (!item || event.target.closest(".panel")) return;
    const items = [...list().children];
    const at = items.indexOf(item);
    const id = item.dataset.id;
    const go = (to) => { const other = items[Math.min(Math.max(to, 0), items.length - 1)]; setCurrent(other.dataset.id); other.focus(); };
    const onRow = event.target === item;
    if (event.altKey && event.key === "ArrowUp") move(id, at);
    else if (event.altKey && event.key === "ArrowDown") move(id, at + 2);
    else if (event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowUp") go(at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(items.length - 1);
    else if (onRow && (event.key === "Delete" || event.key === "Backspace")) { throwOut(id); }
    else if (onRow && event.key === "l" && !event.ctrlKey && !event.metaKey) lock(id, !pinOf(id));
    else if (onRow && event.key === "o" && !event.ctrlKey && !event.metaKey) toggle(item, view.rows[at], choices);
    else return;
    event.preventDefault();
  }

  function startDrag(event) {
    const grip = event.target.closest(".grip");
    if (!grip || event.button) return;
    const item = grip.closest("li.track");
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    const items = [...list().children];
    const boxes = items.map((one) => one.getBoundingClientRect());
    const from = items.indexOf(item);
    const y0 = event.clientY;
    const scroll0 = window.scrollY;
    let to = from;
    item.classList.add("dragged");
    function drag(now) {
      const by = now.clientY - y0 + window.scrollY - scroll0;
      item.style.transform = "translateY(" + by + "px)";
      const middle = boxes[from].top + boxes[from].height / 2 + by;
      to = boxes.findIndex((box) => middle < box.top + box.height);
      if (to < 0) to = items.length - 1;
      items.forEach((one, i) => {
        if (one === item) return;
        const shift = i > from && i <= to ? -1 : i < from && i >= to ? 1 : 0;
        one.style.transform = shift ? "translateY(" + shift * boxes[from].height + "px)" : "";
      });
      if (now.clientY < 60) window.scrollBy(0, -12);
      else if (now.clientY > window.innerHeight - 60) window.scrollBy(0, 12);
    }
    function drop(cancelled) {
      grip.removeEventListener("pointermove", drag);
      item.classList.remove("dragged");
      for (const one of items) one.style.transform = "";
      if (cancelled !== true && to !== from) move(item.dataset.id, to + 1);
    }
    grip.addEventListener("pointermove", drag);
    grip.addEventListener("pointerup", () => drop(false), { once: true });
    grip.addEventListener("pointercancel", () => drop(true), { once: true });
  }

  function light(id) {
    for (const item of list().children) item.classList.toggle("lit", item.dataset.id === id);
  }

  function start() {
    const place = list();
    place.addEventListener("keydown", keydown);
    place.addEventListener("pointerdown", startDrag);
    place.addEventListener("focusin", (event) => { const item = event.target.closest("li.track"); if (item) { setCurrent(item.dataset.id); window.disco.page.pointAt(item.dataset.id); } });
    place.addEventListener("pointerover", (event) => { const item = event.target.closest("li.track"); if (item) window.disco.page.pointAt(item.dataset.id); });
    place.addEventListener("pointerleave", () => window.disco.page.pointAt(null));
  }

  window.disco.list = { draw, start, light, setSeeds, view: () => view };
})();
