/* Seeds: a search that answers while one types, chips to put in order and remove, and lists that are pasted. */
(function () {
  "use strict";
  const { make, icon, bpm, say } = window.disco;
  const state = window.disco.state;
  const names = new Map(); // id -> row, as far as the page has seen them
  let found = [];
  let active = -1;
  let input = null;
  let box = null;

  function remember(rows) {
    for (const row of rows) names.set(row.id, row);
  }

  function add(id) {
    const seeds = state.get().seeds;
    if (seeds.includes(id)) { say("It is there already."); return; }
    window.disco.list.setSeeds([...seeds, id]);
    input.value = "";
    close();
    input.focus();
  }

  function close() {
    found = [];
    active = -1;
    box.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function show(rows) {
    found = rows;
    remember(rows);
    active = rows.length ? 0 : -1;
    box.replaceChildren(...(rows.length ? rows.map((row, i) => make("div", { class: "found", role: "option", id: "found-" + i, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); add(row.id); } },
      make("span", { class: "key", style: { background: row.colour }, text: row.key || "?" }),
      make("span", { class: "names" }, make("span", { class: "title", text: row.title }), make("span", { class: "artist", text: [row.artist, row.genre].filter(Boolean).join(" · ") })),
      make("span", { class: "bpm", text: bpm(row.bpm) }))) : [make("p", { class: "soft", text: "Nothing like that is in this catalogue." })]));
    box.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark();
  }

  function mark() {
    [...box.querySelectorAll(".found")].forEach((one, i) => {
      one.setAttribute("aria-selected", String(i === active));
      if (i === active) { input.setAttribute("aria-activedescendant", one.id); one.scrollIntoView({ block: "nearest" }); }
    });
  }

  function keydown(event) {
    if (event.key === "ArrowDown" && found.length) active = (active + 1) % found.length;
    else if (event.key === "ArrowUp" && found.length) active = (active + found.length - 1) % found.length;
    else if (event.key === "Enter") { if (active >= 0) add(found[active].id); event.preventDefault(); return; }
    else if (event.key === "Escape") { close(); return; }
    else if (event.key === "Backspace" && !input.value && state.get().seeds.length) { window.disco.list.setSeeds(state.get().seeds.slice(0, -1)); return; }
    else return;
    event.preventDefault();
    mark();
  }

  async function paste(event) {
    const text = (event.clipboardData || window.clipboardData).getData("text");
    if (!/\n\s*\S/.test(text)) return;
    event.preventDefault();
    try {
      const answer = await window.disco.server.post("/page/names", { text });
      const seeds = [...new Set([...state.get().seeds, ...answer.ids])];
      if (answer.n_lost) window.disco.page.banner(answer.n_lost + " of the pasted lines are not in this catalogue: " + answer.lost.join("; "));
      if (answer.ids.length) window.disco.list.setSeeds(seeds);
    } catch (error) {
      window.disco.page.banner(error.message === "away" ? "The server does not answer." : error.message);
    }
  }

  function draw() {
    const place = document.getElementById("seeds");
    if (!place) return;
    const seeds = state.get().seeds;
    place.replaceChildren(...seeds.map((id, i) => {
      const row = names.get(id);
      const title = row ? row.title : id;
      return make("span", { class: "chip", title: row ? title + " by " + row.artist : id },
        make("span", { class: "key", style: { background: row ? row.colour : "var(--line)" }, text: (row && row.key) || "?" }),
        make("span", { class: "chip-name", text: title }),
        i ? make("button", { type: "button", class: "chip-tool", text: "↑", "aria-label": "Move " + title + " up", onclick: () => { const next = seeds.slice(); next.splice(i - 1, 0, ...next.splice(i, 1)); window.disco.list.setSeeds(next); } }) : null,
        make("button", { type: "button", class: "chip-tool", "aria-label": "Remove " + title, onclick: () => window.disco.list.setSeeds(seeds.filter((one) => one !== id)) }, icon("out")));
    }));
  }

  function start() {
    const place = document.getElementById("search");
    input = make("input", { id: "search-text", type: "search", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "search-found", "aria-label": "Search for songs to begin with", placeholder: "Song, artist, or paste a list", autocomplete: "off", spellcheck: "false", maxlength: 200, onkeydown: keydown, onpaste: paste });
    box = make("div", { id: "search-found", role: "listbox", "aria-label": "Songs found", hidden: true });
    place.append(input, box);
    const ask = window.disco.server.latest("/page/search", (rows, asked, newest) => { if (newest && asked.text === input.value.trim()) show(rows); }, (message) => window.disco.page.banner(message), window.disco.page.away);
    input.addEventListener("input", () => { const text = input.value.trim(); if (text) ask({ text }); else close(); });
    input.addEventListener("blur", () => setTimeout(close, 120));
  }

  window.disco.seeds = { start, draw, remember, add };
})();
