/* The page as a whole: asks for the playlist, shows it, and keeps knobs, figure, address and history in step. */
(function () {
  "use strict";
  const { make, button, menu, say, bpm } = window.disco;
  const state = window.disco.state;
  const server = window.disco.server;
  const KNOBS = ["flow", "spicyness", "sweetness", "smoothness"];
  const TOLD = {};
  const ARCS = {};
  const ORDER_KNOBS = {}; // of lists that are put in order, as `disco order` has them
  let shown = null; // the last answer
  let kept = null; // the setting A that is compared with
  let figureKind = "map";
  let ask = null;
  let isAway = false;
  let ahead = null; // the first answer, asked for before the components stood
  let first = [];
  let quiet = 0; // while controls are set by the page itself

  const $ = (id) => document.getElementById(id);
  const set = (id, props) => { if (window.dash_clientside.set_props) window.dash_clientside.set_props(id, props); };
  const isDark = () => document.documentElement.getAttribute("data-mantine-color-scheme") === "dark";

  /* ---- asking and showing ---- */

  function play() {
    const now = state.get();
    if (isEmpty(now)) {
      empty();
      return;
    }
    const body = question(now);
    const answer = ahead && state.same(ahead.body, body) ? ahead.answer : null;
    ahead = null;
    if (answer) { show(answer); return; }
    $("playlist").classList.add("asking");
    ask(body);
  }

  const question = (now) => ({ state: state.compact(now), figure: figureKind, before: now.tracks.length > 0 });

  const isEmpty = (now) => !now.seeds.length && !now.title && !now.tracks.length;

  function empty() {
    shown = { name: "Nothing yet", rows: [], joins: [], summary: null, notes: [], measures: null };
    show(shown);
    $("summary").textContent = "Name a song or two to begin with, or drop a playlist on the page.";
  }

  function show(answer) {
    shown = answer;
    $("playlist").classList.remove("asking");
    window.disco.seeds.remember(answer.rows);
    $("tracks-title").textContent = answer.name || "Playlist";
    $("summary").replaceChildren(...summary(answer));
    window.disco.list.draw(answer);
    window.disco.course.draw(answer);
    window.disco.seeds.draw();
    $("notes").replaceChildren(...answer.notes.map((note) => make("p", { text: note })));
    if (answer.figure) window.disco.figure.draw(answer.figure, isDark());
    drawCompare();
    drawMode();
  }

  function summary(answer) {
    const s = answer.summary;
    if (!s) return [];
    const parts = [make("span", { text: s.tracks + " tracks" + (s.minutes ? ", " + (s.whole ? "" : "at least ") + s.minutes + " min" : "") })];
    if (s.joins) {
      parts.push(make("span", { class: "pill good", text: s.good + " of " + s.joins + " transitions good" }));
      if (s.keys_known) parts.push(make("span", { class: "pill", text: "keys: " + s.keys + " of " + s.keys_known }));
      if (s.tempos_known) parts.push(make("span", { class: "pill", text: "within 6 %: " + s.within + " of " + s.tempos_known }));
    }
    return parts;
  }

  function banner(text, kind) {
    const place = $("banner");
    place.hidden = !text;
    place.className = kind || "";
    place.replaceChildren(make("span", { text: text || "" }), text && kind !== "away" ? button("out", "Close this message", () => banner("")) : "");
  }

  function refused(message) {
    if (shown && isEmpty(state.get())) return; // of songs that were taken away meanwhile
    $("playlist").classList.remove("asking");
    banner(message, "problem");
    if (!shown) empty();
  }

  function away(gone) {
    if (gone === isAway) return;
    isAway = gone;
    if (gone) banner("The server does not answer. What you made stays here and in the address; it goes on as soon as the server is back.", "away");
    else { banner(""); say("The server is back."); }
  }

  /* ---- knobs and fields ---- */

  const FIELD = { "without-genre": "without_genre", "key-rule": "key_rule" };

  /* A component tells its value. */
  function control(value) {
    const triggered = window.dash_clientside.callback_context.triggered;
    const id = triggered && triggered[0] ? triggered[0].prop_id.split(".")[0] : "";
    if (!shown && id !== "figure-kind") return window.dash_clientside.no_update;
    if (shows && shows[id]) shows[id] = Object.assign({}, shows[id], { [id === "tempo-arc" ? "checked" : "value"]: value });
    const now = state.get();
    if (KNOBS.includes(id) || id === "variety") {
      if (Number.isFinite(value) && Math.abs(value - now[id]) > 1e-9) state.change({ [id]: value });
    } else if (id === "length" || id === "length-kind") {
      const kind = id === "length-kind" ? value : now.minutes === null ? "tracks" : "minutes";
      const number = id === "length" ? Number(value) : kind === "minutes" ? 45 : 10;
      if (id === "length-kind" && (value === "minutes") === (now.minutes !== null)) return window.dash_clientside.no_update;
      if (Number.isFinite(number) && number >= 1) state.change(kind === "minutes" ? { minutes: number } : { minutes: null, length: Math.round(number) });
    } else if (id === "arc-kind") {
      if (value === "none") state.change({ arc: [] });
      else if (ARCS[value]) { const heights = window.disco.course.spread(ARCS[value]); if (!state.same(heights, now.arc)) state.change({ arc: heights }); }
      else if (!now.arc.length) state.change({ arc: [0.5, 0.5, 0.5, 0.5, 0.5] });
    } else if (id === "tempo-arc") {
      if (value && !now.tempo_arc.length) state.change({ tempo_arc: startTempos() });
      else if (!value && now.tempo_arc.length) state.change({ tempo_arc: [] });
    } else if (id === "figure-kind") {
      if (value !== figureKind) { figureKind = value; $("figure-about").textContent = TOLD[value] || ""; play(); }
    } else {
      const name = FIELD[id] || id;
      if (name in now && typeof value === "string" && value.trim() !== now[name]) state.change({ [name]: value.trim() });
    }
    return window.dash_clientside.no_update;
  }

  function startTempos() {
    const known = (shown ? shown.rows : []).map((row) => row.bpm).filter(Boolean);
    const middle = known.length ? Math.round(known.reduce((a, b) => a + b, 0) / known.length) : 120;
    return [middle, middle, middle];
  }

  /* What the components should show of a state, by component. */
  function wanted(now) {
    const named = Object.keys(ARCS).find((name) => state.same(window.disco.course.spread(ARCS[name]), now.arc));
    const out = {
      spicyness: { value: now.spicyness, disabled: now.tracks.length > 0 }, // nothing is predicted in a list
      "length-kind": { value: now.minutes === null ? "tracks" : "minutes" },
      length: { value: now.minutes === null ? now.length : now.minutes },
      "arc-kind": { value: !now.arc.length ? "none" : named || "drawn" },
      "tempo-arc": { checked: now.tempo_arc.length > 0 },
    };
    for (const id of ["flow", "sweetness", "smoothness", "variety", "style", "key-rule", "genre", "without-genre", "keys", "bpm", "duration", "title"]) out[id] = { value: now[FIELD[id] || id] };
    return out;
  }

  let shows = null; // by the components; each that is set is drawn anew, so only those that differ are

  function setControls(now) {
    for (const [id, props] of Object.entries(wanted(now))) {
      if (state.same(props, shows[id])) continue;
      shows[id] = props;
      set(id, props);
    }
    for (const name of KNOBS) { const out = $(name + "-value"); if (out) out.textContent = String(Math.round(now[name] * 10) / 10); }
  }

  function changed(now, why) {
    setControls(now);
    window.disco.seeds.draw();
    window.disco.course.draw();
    tools();
    state.write();
    play();
  }

  /* ---- a list that is put in order ---- */

  function drawMode() {
    const now = state.get();
    const place = $("mode");
    $("seed-part").hidden = now.tracks.length > 0;
    if (!now.tracks.length) { place.replaceChildren(); return; }
    place.replaceChildren(make("div", { class: "card" },
      make("h2", { text: "Your list" }), make("p", { text: (now.name || "The list") + ": " + now.tracks.length + " tracks" }),
      make("div", { class: "buttons" },
        button("compare", "As it was given", () => state.change({ given_order: !now.given_order }), { "aria-pressed": String(now.given_order) }, now.given_order ? "Show in best order" : "Show as given"),
        button("plus", "Go on from its end", () => goOn(), null, "Go on from it"),
        button("out", "Back to songs", () => state.replace({ seeds: first.length ? first : [] }), null, "Close"))));
  }

  /* The last tracks of the list that the catalogue has become seeds. */
  async function goOn() {
    const now = state.get();
    const ids = now.tracks.map((track) => track.track_id).filter((id) => !now.out.includes(id));
    try {
      const answer = await server.post("/page/names", { text: ids.slice(-3).join("\n") + "\n" });
      if (!answer.ids.length) { banner("None of the last tracks of the list is in the catalogue, so nothing can follow them.", "problem"); return; }
      state.replace({ seeds: answer.ids });
    } catch (error) {
      banner(error.message === "away" ? "The server does not answer." : error.message, "problem");
    }
  }

  async function take(file, playlist) {
    if (!file) return;
    if (file.size > 24 * 1024 * 1024) { banner("The file is larger than the 24 MB that the page takes.", "problem"); return; }
    banner("Reading " + file.name + "…");
    try {
      const answer = await server.open(file, playlist);
      if (answer.choices) { choose(file, answer.choices); return; }
      banner(answer.notes.join("; "));
      state.replace(Object.assign({ tracks: answer.tracks, name: answer.name }, ORDER_KNOBS));
    } catch (error) {
      banner(error.message === "away" ? "The server does not answer." : error.message, "problem");
    }
  }

  function choose(file, choices) {
    const place = $("banner");
    place.hidden = false;
    place.className = "";
    place.replaceChildren(make("span", { text: "Which of its " + choices.length + " playlists?" }), make("div", { class: "buttons" }, choices.slice(0, 60).map((one) => make("button", { type: "button", class: "tool wide", text: one.name + " (" + one.tracks + ")", onclick: () => take(file, one.name) }))));
    place.querySelector("button").focus();
  }

  function dropping() {
    const veil = $("drop");
    veil.append(make("p", { text: "Drop a playlist: M3U8, CSV, JSON, XML, NML, or a list of titles" }));
    let depth = 0;
    const files = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
    window.addEventListener("dragenter", (event) => { if (files(event)) { depth++; veil.hidden = false; event.preventDefault(); } });
    window.addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
    window.addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) { depth = 0; veil.hidden = true; } });
    window.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      depth = 0;
      veil.hidden = true;
      take(event.dataTransfer.files[0]);
    });
  }

  /* ---- tools ---- */

  function tools() {
    const chooser = make("input", { type: "file", hidden: true, id: "chooser", tabindex: -1, "aria-hidden": "true", onchange: (event) => { take(event.target.files[0]); event.target.value = ""; } });
    $("tools").replaceChildren(
      button("file", "Open a playlist to put it in order", () => chooser.click(), null, "Order a playlist"), chooser,
      button("dark", "Light or dark", theme));
    const now = state.get();
    $("actions").replaceChildren(
      button("undo", "Undo", state.undo, { disabled: !state.canUndo() }),
      button("redo", "Redo", state.redo, { disabled: !state.canRedo() }),
      button("compare", kept ? "Stop comparing" : "Keep this as A, and compare", compare, { "aria-pressed": String(Boolean(kept)) }),
      menu("share", "Share", "Share", () => [
        { text: "Copy the link", do: () => copy(location.href, "The link re-creates this playlist.") },
        { text: "Copy as text", do: () => copy(asText(), "Copied.") },
        { text: "Picture of the figure", do: () => window.disco.figure.picture((shown && shown.name) || "flow") },
        { text: "Send to Spotify", do: () => send("spotify") },
        { text: "Send to Navidrome", do: () => send("navidrome") },
      ]),
      menu("save", "Save as", "Save", () => [[".m3u8", "M3U8, for players and DJ programs"], [".xml", "rekordbox XML"], [".nml", "Traktor NML"], [".csv", "CSV, for spreadsheets"], [".jspf", "JSPF"], [".json", "JSON"], [".html", "A page with all figures"]].map(([format, text]) => ({ text, do: () => save(format) }))));
    const another = $("another");
    if (another && !another.firstChild) another.append(button("dice", "Another playlist with the same settings", () => state.change({ variety: state.get().variety || 0.5, variety_seed: state.get().variety_seed + 1 }), null, "Another one"));
  }

  async function save(format) {
    try {
      const saved = await server.save({ state: state.compact(state.get()), format });
      say("Saved as " + saved.name);
    } catch (error) {
      banner(error instanceof server.Refused ? error.message : "The server does not answer.", "problem");
    }
  }

  async function send(to) {
    banner("Sending to " + to + "…");
    try {
      const answer = await server.post("/page/send", { state: state.compact(state.get()), to });
      banner("It is there: " + answer.address);
    } catch (error) {
      banner(error.message === "away" ? "The server does not answer." : error.message, "problem");
    }
  }

  async function copy(text, told) {
    try {
      await navigator.clipboard.writeText(text);
      banner(told);
    } catch (error) {
      const area = make("textarea", { class: "sr" });
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      banner(done ? told : "The browser does not allow to copy; the address bar has the link.");
    }
  }

  function asText() {
    return (shown ? shown.rows : []).map((row) => row.position + ". " + (row.artist ? row.artist + " - " : "") + row.title + (row.key ? "  " + row.key : "") + (row.bpm ? "  " + bpm(row.bpm) : "")).join("\n");
  }

  function theme() {
    const dark = !isDark();
    set("theme", { forceColorScheme: dark ? "dark" : "light" });
    try { localStorage.setItem("disco-theme", dark ? "dark" : "light"); } catch (error) { /* a browser without storage */ }
  }

  /* ---- two settings side by side ---- */

  function compare() {
    kept = kept ? null : { state: state.get(), answer: shown };
    tools();
    drawCompare();
  }

  function column(heading, answer, other, act) {
    const there = new Set(other ? other.rows.map((row) => row.id) : []);
    return make("div", { class: "column" },
      make("h3", { text: heading }), make("p", { class: "soft" }, summary(answer)),
      make("ol", null, answer.rows.map((row, i) => make("li", { class: (there.has(row.id) ? "" : "only ") + (i ? answer.joins[i - 1].grade : "") },
        make("span", { class: "dot", "aria-hidden": "true" }), make("span", { class: "key", style: { background: row.colour }, text: row.key || "?" }), make("span", { class: "title", text: row.title }), make("span", { class: "bpm", text: bpm(row.bpm) })))), act);
  }

  function drawCompare() {
    const place = $("compare");
    const before = shown && shown.before;
    place.hidden = !(kept || before);
    if (kept) {
      place.replaceChildren(column("A", kept.answer, shown, button("undo", "Back to A", () => { const back = kept.state; kept = null; state.replace(back); }, null, "Back to A")), column("Now", shown, kept.answer));
    } else if (before) {
      place.replaceChildren(column("As given", before, null), column("In order", shown, null));
    } else place.replaceChildren();
  }

  /* ---- what is pointed at ---- */

  let pointed = null;
  function pointAt(id) {
    if (id === pointed) return;
    pointed = id;
    window.disco.list.light(id);
    window.disco.course.point(id);
    if (figureKind === "map") window.disco.figure.point(id);
  }

  function pointedFigure(point) {
    if (!point.customdata || !shown || !shown.rows.some((row) => row.id === point.customdata)) return;
    pointed = point.customdata;
    window.disco.list.light(pointed);
    window.disco.course.point(pointed);
  }

  /* A candidate that is clicked in the map is put behind the seeds. */
  function clicked(point) {
    if (!point.customdata || !shown || state.get().tracks.length || figureKind !== "map") return;
    const id = point.customdata;
    const item = document.querySelector('#tracks li[data-id="' + CSS.escape(id) + '"]');
    if (item) { item.scrollIntoView({ block: "center", behavior: window.disco.isCalm() ? "auto" : "smooth" }); item.focus({ preventScroll: true }); }
    else window.disco.list.setSeeds([...state.get().seeds, id]);
  }

  /* ---- keyboard ---- */

  function keys(event) {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "z" && !typing) { event.preventDefault(); if (event.shiftKey) state.redo(); else state.undo(); }
    else if (command && event.key.toLowerCase() === "y" && !typing) { event.preventDefault(); state.redo(); }
    else if (event.key === "/" && !typing && !command) { event.preventDefault(); $("search-text").focus(); }
  }

  /* ---- start ---- */

  /* Ask for the first playlist while the components are still being loaded. */
  async function begin() {
    const link = await state.read();
    const given = link && link.values ? state.clean(link.values) : null;
    try {
      const facts = await (await fetch("/page/ready")).json();
      if (!facts.ready) return { link, given };
      const now = Object.assign({}, state.get(), given ? given.known : { seeds: facts.first });
      if (isEmpty(now)) return { link, given, facts };
      const body = question(now);
      return { link, given, facts, ahead: { body, answer: await server.post("/page/play", body) } };
    } catch (error) {
      return { link, given }; // asked again, and shown, when there is a place for it
    }
  }

  /* How far the catalogue is read: a bar, full as far as is known, and what is being done. */
  function reading(now) {
    const place = $("reading");
    place.hidden = Boolean(now && (now.ready || now.error));
    $("playlist").classList.toggle("waiting", !place.hidden);
    if (place.hidden) { place.replaceChildren(); return; }
    $("tracks-title").textContent = "One moment";
    const text = now ? now.progress + (now.share === null ? "…" : "") : "waiting for the server…";
    if (!place.firstChild) place.append(make("div", { class: "bar", role: "progressbar", "aria-label": "Reading the catalogue", "aria-valuemin": 0, "aria-valuemax": 100 }, make("span")), make("p"));
    const bar = place.firstChild;
    const percent = now && now.share !== null ? Math.round(100 * now.share) : null;
    bar.classList.toggle("unknown", percent === null);
    if (percent === null) bar.removeAttribute("aria-valuenow"); else bar.setAttribute("aria-valuenow", percent);
    bar.setAttribute("aria-valuetext", text);
    bar.firstChild.style.width = percent === null ? "" : percent + "%";
    place.lastChild.textContent = text.charAt(0).toUpperCase() + text.slice(1) + (percent === null ? "" : " (" + percent + " %)");
  }

  async function ready() {
    for (;;) {
      let now = null;
      try {
        now = await (await fetch("/page/ready")).json();
      } catch (error) { /* asked again */ }
      reading(now);
      if (now && now.ready) return now;
      if (now && now.error) { refused(now.error); return null; }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async function start() {
    const dom = JSON.parse($("page-facts").textContent);
    Object.assign(TOLD, dom.figures);
    Object.assign(ARCS, dom.arcs);
    Object.assign(ORDER_KNOBS, dom.order_knobs);
    shows = wanted(state.get()); // the defaults, with which the components are made
    window.disco.figure.start(dom.plotly, pointedFigure, clicked);
    let theme = null;
    try { theme = localStorage.getItem("disco-theme"); } catch (error) { /* a browser without storage */ }
    if (theme) set("theme", { forceColorScheme: theme });
    window.disco.list.start();
    window.disco.course.start();
    window.disco.seeds.start();
    dropping();
    tools();
    document.addEventListener("keydown", keys);
    ask = server.latest("/page/play", (answer, body, newest) => { if (!isAway && $("banner").className === "problem") banner(""); if (newest && !isEmpty(state.get())) show(answer); }, refused, away);
    new MutationObserver(() => { if (shown) play(); }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
    const { link, given, ahead: answered, facts: early } = await beginning;
    const facts = early || await ready();
    if (!facts) return;
    first = facts.first;
    ahead = answered || null;
    if (link && link.error) banner(link.error);
    if (given && Object.keys(given.unknown).length) banner("The link has settings that this page does not know: " + Object.keys(given.unknown).slice(0, 5).join(", "));
    shown = { name: "", rows: [], joins: [], summary: null, notes: [], measures: null };
    state.listen(changed);
    state.replace(given ? given.known : { seeds: first }, false);
    if (!given && !first.length) changed(state.get());
    window.addEventListener("hashchange", async () => {
      const next = await state.read();
      if (next && next.error) banner(next.error);
      else if (next && next.values) state.replace(state.clean(next.values).known);
    });
  }

  function whenThere() {
    if ($("tracks") && $("figure") && $("page-facts") && window.dash_clientside && window.dash_clientside.set_props) start();
    else setTimeout(whenThere, 15);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    disco: { control },
  });
  window.disco.page = { banner, away, pointAt, askAgain: () => play() };
  const beginning = begin();
  whenThere();
})();
