/* What a person has set: one object, its history, and its place in the address. Nothing of it is kept on the server. */
(function () {
  "use strict";

  const DEFAULTS = Object.freeze({
    seeds: [], title: "", length: 10, minutes: null,
    flow: 1, spicyness: 1.2, sweetness: 1, smoothness: 1, style: "published", key_rule: "fifths",
    arc: [], tempo_arc: [], genre: "", without_genre: "", keys: "", bpm: "", duration: "",
    variety: 0, variety_seed: 0, pins: [], out: [], together: [], tracks: [], name: "", given_order: false,
  });
  // Changes of one value within so many milliseconds are one step of undo.
  const ONE_STEP_MS = 900;
  const MOST_STEPS = 200;

  let state = Object.assign({}, DEFAULTS);
  let past = [];
  let future = [];
  let last = { key: "", at: 0 };
  const listeners = [];

  function same(a, b) {
    return JSON.stringify(a) === JSON.stringify(b);
  }

  function tell(why) {
    for (const listener of listeners) listener(state, why);
  }

  /* Change some values; `step` false changes without a step of undo. */
  function change(values, step) {
    const next = Object.assign({}, state, values);
    if (same(next, state)) return;
    const key = Object.keys(values).sort().join();
    const now = Date.now();
    if (step !== false) {
      if (!(key === last.key && now - last.at < ONE_STEP_MS)) past.push(state);
      if (past.length > MOST_STEPS) past.shift();
      future = [];
      last = { key, at: now };
    }
    state = next;
    tell("change");
  }

  function replace(next, step) {
    const whole = Object.assign({}, DEFAULTS, next);
    if (same(whole, state)) return;
    if (step !== false) {
      past.push(state);
      future = [];
      last = { key: "", at: 0 };
    }
    state = whole;
    tell("replace");
  }

  function undo() {
    if (!past.length) return;
    future.push(state);
    state = past.pop();
    last = { key: "", at: 0 };
    tell("replace");
  }

  function redo() {
    if (!future.length) return;
    past.push(state);
    state = future.pop();
    tell("replace");
  }

  /* The values that differ from the defaults. */
  function compact(whole) {
    const out = {};
    for (const name of Object.keys(DEFAULTS)) {
      if (!same(whole[name], DEFAULTS[name])) out[name] = whole[name];
    }
    return out;
  }

  async function squeeze(text, kind) {
    const bytes = new TextEncoder().encode(text);
    const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream(kind));
    const array = new Uint8Array(await new Response(packed).arrayBuffer());
    let binary = "";
    for (const byte of array) binary += String.fromCharCode(byte);
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  async function expand(text, kind) {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    const whole = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(kind));
    const reader = whole.getReader();
    const parts = [];
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > 8e6) throw new Error("too long");
      parts.push(value);
    }
    return new TextDecoder().decode(await new Blob(parts).arrayBuffer());
  }

  let turn = 0;
  async function write() {
    const mine = ++turn;
    const values = Object.assign({ v: 1 }, compact(state));
    const packed = await squeeze(JSON.stringify(values), "deflate-raw");
    if (mine === turn) history.replaceState(null, "", "#s=" + packed);
  }

  /* The state of the address; null where there is none, and an error in words where it cannot be read. */
  async function read() {
    const found = /^#s=([A-Za-z0-9_-]+)$/.exec(location.hash);
    if (!found) return location.hash.length > 1 ? { error: "The link is cut off or damaged; here is the example instead." } : null;
    try {
      const values = JSON.parse(await expand(found[1], "deflate-raw"));
      if (!values || typeof values !== "object" || Array.isArray(values)) throw new Error("no object");
      return { values };
    } catch (error) {
      return { error: "The link is cut off or damaged; here is the example instead." };
    }
  }

  /* Only values of the kinds that the page knows; the server checks them once more. */
  function clean(values) {
    const out = {};
    const extra = {};
    for (const name of Object.keys(values)) {
      const known = Object.prototype.hasOwnProperty.call(DEFAULTS, name);
      if (!known) {
        if (name !== "v") extra[name] = values[name];
        continue;
      }
      const fallback = DEFAULTS[name];
      const value = values[name];
      if (Array.isArray(fallback) ? Array.isArray(value) : name === "minutes" ? value === null || Number.isFinite(value) : typeof value === typeof fallback) {
        out[name] = value;
      }
    }
    return { known: out, unknown: extra };
  }

  window.disco = {
    DEFAULTS,
    state: {
      get: () => state, change, replace, undo, redo, compact, clean, write, read, same,
      canUndo: () => past.length > 0, canRedo: () => future.length > 0,
      listen: (listener) => listeners.push(listener),
    },
  };
})();
