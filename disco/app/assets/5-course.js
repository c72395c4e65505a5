/* The course: energy, tempo and keys from the first track to the last, and the arcs, whose points are dragged. */
(function () {
  "use strict";
  const { svg, make } = window.disco;
  const state = window.disco.state;
  const W = 1000;
  const ENERGY = { top: 16, height: 92 };
  const TEMPO = { top: 128, height: 62 };
  const KEYS = { top: 206, height: 26 };
  const H = KEYS.top + KEYS.height + 4;
  const LEFT = 8;
  const STEP = 0.02;
  const POINTS = 5;
  let view = null;

  const place = () => document.getElementById("course");
  const inner = () => document.getElementById("course-in") || place();
  const x = (i, n) => (n < 2 ? W / 2 : LEFT + ((W - 2 * LEFT) * (i + 0.5)) / n);
  const heightY = (value) => ENERGY.top + ENERGY.height * (1 - value);

  /* A smooth line through points; where a value is unknown it is interrupted. */
  function line(points) {
    let path = "";
    let before = null;
    for (const point of points) {
      if (!point) { before = null; continue; }
      if (!before) path += "M" + point[0].toFixed(1) + " " + point[1].toFixed(1);
      else {
        const middle = (before[0] + point[0]) / 2;
        path += "C" + middle.toFixed(1) + " " + before[1].toFixed(1) + " " + middle.toFixed(1) + " " + point[1].toFixed(1) + " " + point[0].toFixed(1) + " " + point[1].toFixed(1);
      }
      before = point;
    }
    return path;
  }

  function tempoRange(rows, arc) {
    const known = [...rows.map((row) => row.bpm).filter((value) => value), ...arc];
    if (!known.length) return [100, 130];
    const low = Math.min(...known);
    const high = Math.max(...known);
    const room = Math.max((high - low) * 0.2, 4);
    return [low - room, high + room];
  }

  function draw(next) {
    const box = place();
    if (!box) return;
    view = next || view;
    if (!view) return;
    const { rows, joins } = view;
    const n = rows.length;
    const now = state.get();
    const [low, high] = tempoRange(rows, now.tempo_arc);
    const tempoY = (value) => TEMPO.top + TEMPO.height * (1 - (value - low) / (high - low));
    const energy = rows.map((row, i) => (row.energy === null ? null : [x(i, n), heightY(row.energy)]));
    const tempos = rows.map((row, i) => (row.bpm ? [x(i, n), tempoY(row.bpm)] : null));
    const known = energy.filter(Boolean);
    const area = known.length === n && n > 1 ? line(energy) + "L" + x(n - 1, n) + " " + heightY(0) + "L" + x(0, n) + " " + heightY(0) + "Z" : "";
    const width = (W - 2 * LEFT) / Math.max(n, 1);
    const drawing = svg("svg", { viewBox: "0 0 " + W + " " + H, role: "img", preserveAspectRatio: "none", "aria-label": told(rows) },
      area ? svg("path", { d: area, class: "area" }) : null,
      svg("path", { d: line(energy), class: "curve energy-line" }),
      svg("path", { d: line(tempos), class: "curve tempo-line" }),
      ...rows.map((row, i) => svg("rect", { x: (LEFT + width * i + (n > 60 ? 0 : 1.5)).toFixed(1), y: KEYS.top, width: Math.max(width - (n > 60 ? 0 : 3), 0.5).toFixed(1), height: KEYS.height, rx: n > 60 ? 0 : 4, fill: row.colour, class: "block", "data-id": row.id })),
      ...joins.map((join, i) => (join.grade === "good" || n > 120 ? null : svg("rect", { x: (LEFT + width * (i + 1) - 3).toFixed(1), y: KEYS.top - 10, width: 6, height: 6, rx: 3, class: "mark " + join.grade }))),
      svg("line", { class: "cursor", y1: ENERGY.top - 8, y2: H, x1: 0, x2: 0, style: { visibility: "hidden" } }));
    const narrow = box.clientWidth > 0 && box.clientWidth / n < 28; // on a phone the names would touch
    const marks = n > 40 || narrow ? [] : [
      ...rows.map((row, i) => make("span", { class: "key-name", text: row.key || "?", style: { left: (100 * x(i, n)) / W + "%", top: ((KEYS.top + KEYS.height / 2) / H) * 100 + "%" } })),
      ...(n > 24 ? [] : rows.map((row, i) => (row.bpm ? make("span", { class: "tempo-name", text: Math.round(row.bpm), style: { left: (100 * x(i, n)) / W + "%", top: ((tempoY(row.bpm) - 4) / H) * 100 + "%" } }) : null)).filter(Boolean)),
    ];
    const names = [
      ...[["energy", ENERGY], ["tempo", TEMPO], ["key", KEYS]].map(([name, part]) => make("span", { class: "course-name", text: name, style: { top: "calc(" + ((part.top + part.height / 2) / H) * 100 + "% - .6em)" } })),
    ];
    const handles = [];
    if (now.arc.length) {
      drawing.append(svg("path", { d: line(now.arc.map((height, i) => [arcX(i, now.arc.length), heightY(height)])), class: "arc" }));
      now.arc.forEach((height, i) => handles.push(handle("arc", i, now.arc.length, height, heightY(height), 0, 1, (value) => Math.round(value * 100) + " % energy")));
    }
    if (now.tempo_arc.length) {
      drawing.append(svg("path", { d: line(now.tempo_arc.map((tempo, i) => [arcX(i, now.tempo_arc.length), tempoY(tempo)])), class: "arc" }));
      now.tempo_arc.forEach((tempo, i) => handles.push(handle("tempo_arc", i, now.tempo_arc.length, tempo, tempoY(tempo), low, high, (value) => Math.round(value) + " BPM")));
    }
    const kept = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.handle : null;
    box.replaceChildren(make("div", { id: "course-in" }, drawing, ...names, ...marks, ...handles));
    if (kept) { const again = box.querySelector('[data-handle="' + kept + '"]'); if (again) again.focus({ preventScroll: true }); }
  }

  const arcX = (i, n) => (n < 2 ? W / 2 : LEFT + ((W - 2 * LEFT) * i) / (n - 1));

  function told(rows) {
    const part = (name, values) => { const known = values.filter((value) => value !== null); return known.length ? name + " from " + known[0] + " to " + known[known.length - 1] : name + " unknown"; };
    return "Course of the playlist: " + part("energy", rows.map((row) => row.energy)) + ", " + part("tempo", rows.map((row) => (row.bpm ? Math.round(row.bpm) : null))) + " BPM, keys " + rows.slice(0, 40).map((row) => row.key || "?").join(" ");
  }

  /* A point of an arc: dragged, or moved with the arrow keys. */
  function handle(name, i, n, value, y, low, high, words) {
    const area = name === "arc" ? ENERGY : TEMPO;
    const point = make("button", {
      type: "button", class: "handle", role: "slider", "data-handle": name + i, "aria-orientation": "vertical",
      "aria-label": (name === "arc" ? "Energy asked for, point " : "Tempo asked for, point ") + (i + 1) + " of " + n,
      "aria-valuemin": low.toFixed(2), "aria-valuemax": high.toFixed(2), "aria-valuenow": value.toFixed(2), "aria-valuetext": words(value), title: words(value),
      style: { left: (100 * arcX(i, n)) / W + "%", top: (100 * y) / H + "%" },
    });
    function put(next) {
      const values = state.get()[name].slice();
      values[i] = name === "arc" ? Math.round(Math.min(Math.max(next, 0), 1) * 100) / 100 : Math.round(Math.min(Math.max(next, 40), 240) * 2) / 2;
      state.change({ [name]: values });
    }
    point.addEventListener("keydown", (event) => {
      const step = name === "arc" ? STEP * 2 : 1;
      const by = { ArrowUp: step, ArrowDown: -step, PageUp: 5 * step, PageDown: -5 * step }[event.key];
      if (!by) return;
      event.preventDefault();
      put(state.get()[name][i] + by);
    });
    point.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      point.focus();
      const box = inner().getBoundingClientRect();
      const drag = (now) => put(low + (high - low) * (1 - (((now.clientY - box.top) / box.height) * H - area.top) / area.height));
      const end = () => { document.removeEventListener("pointermove", drag); };
      document.addEventListener("pointermove", drag);
      document.addEventListener("pointerup", end, { once: true });
      document.addEventListener("pointercancel", end, { once: true });
    });
    return point;
  }

  /* The heights of a named arc, spread over as many points as are dragged. */
  function spread(heights) {
    return Array.from({ length: POINTS }, (_, i) => {
      const at = (i * (heights.length - 1)) / (POINTS - 1);
      const left = Math.floor(at);
      const right = Math.min(left + 1, heights.length - 1);
      return Math.round((heights[left] + (heights[right] - heights[left]) * (at - left)) * 100) / 100;
    });
  }

  function point(id) {
    const box = place();
    if (!box || !view) return;
    const cursor = box.querySelector(".cursor");
    const at = view.rows.findIndex((row) => row.id === id);
    if (!cursor) return;
    const to = at < 0 ? 0 : x(at, view.rows.length);
    cursor.style.visibility = at < 0 ? "hidden" : "visible";
    cursor.setAttribute("x1", to);
    cursor.setAttribute("x2", to);
  }

  function start() {
    place().addEventListener("pointermove", (event) => {
      if (!view || event.target.closest(".handle")) return;
      const box = inner().getBoundingClientRect();
      const n = view.rows.length;
      const at = Math.floor((((event.clientX - box.left) / box.width) * W - LEFT) / ((W - 2 * LEFT) / n));
      if (at >= 0 && at < n) window.disco.page.pointAt(view.rows[at].id);
    });
    place().addEventListener("pointerleave", () => window.disco.page.pointAt(null));
  }

  window.disco.course = { draw, start, spread, point };
})();
