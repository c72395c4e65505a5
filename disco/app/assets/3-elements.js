/* Small helpers to build parts of the page. Texts are always set as text, never as HTML. */
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";

  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "text") element.textContent = value;
      else if (name === "class") element.setAttribute("class", value);
      else if (name === "style") Object.assign(element.style, value);
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    return element;
  }

  function make(name, attributes, ...children) {
    const element = set(document.createElement(name), attributes);
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  }

  function svg(name, attributes, ...children) {
    const element = set(document.createElementNS(SVG, name), attributes);
    element.append(...children.flat().filter(Boolean));
    return element;
  }

  // Drawn on 24 x 24, with lines.
  const ICONS = {
    lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    unlock: "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2",
    out: "M6 6l12 12M18 6L6 18",
    other: "M4 8h12l-3-3M20 16H8l3 3",
    pair: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
    play: "M8 5.5v13l10.5-6.5z",
    stop: "M7 7h10v10H7z",
    grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
    undo: "M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
    redo: "M15 14l5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
    share: "M12 15V4M8 7.5L12 3.5l4 4M5 12v8h14v-8",
    save: "M12 4v11M8 11.5l4 4 4-4M5 20h14",
    dark: "M20 14.5A8 8 0 1 1 9.5 4a6.5 6.5 0 0 0 10.5 10.5z",
    compare: "M4 5h6v14H4zM14 5h6v14h-6z",
    help: "M9.5 9.5a2.5 2.5 0 1 1 3.4 2.3c-.9.4-.9 1-.9 1.9M12 17h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
    file: "M7 3h7l5 5v13H7zM14 3v5h5",
    plus: "M12 5v14M5 12h14",
    link: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
    dice: "M5 5h14v14H5zM9 9h.01M15 15h.01M12 12h.01",
  };

  function icon(name) {
    return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, svg("path", { d: ICONS[name] }));
  }

  /* A button with an icon; its label is read aloud, shown as a tip, and written beside it where `shown`. */
  function button(name, label, onclick, more, shown) {
    const read = shown && !label.includes(shown) ? shown + ": " + label : label; // for voice control, which goes by what is written
    return make("button", Object.assign({ type: "button", class: "tool", "aria-label": read, title: shown ? null : label, onclick }, more), icon(name), shown ? make("span", { text: shown }) : null);
  }

  /* A menu that opens below its button and closes by itself. */
  function menu(name, label, shown, items) {
    const list = make("div", { class: "menu-list", role: "menu", hidden: true });
    const opener = button(name, label, () => toggle(list.hidden), { "aria-haspopup": "menu", "aria-expanded": "false" }, shown);
    const whole = make("div", { class: "menu" }, opener, list);
    function toggle(open) {
      list.hidden = !open;
      opener.setAttribute("aria-expanded", String(open));
      if (open) {
        list.replaceChildren(...items().map((item) => make("button", {
          type: "button", role: "menuitem", text: item.text,
          onclick: () => { toggle(false); opener.focus(); item.do(); },
        })));
        const first = list.querySelector("button");
        if (first) first.focus();
      }
    }
    whole.addEventListener("keydown", (event) => {
      const all = [...list.querySelectorAll("button")];
      const at = all.indexOf(document.activeElement);
      if (event.key === "Escape" && !list.hidden) { toggle(false); opener.focus(); event.stopPropagation(); }
      else if (event.key === "ArrowDown" && at >= 0) { all[(at + 1) % all.length].focus(); event.preventDefault(); }
      else if (event.key === "ArrowUp" && at >= 0) { all[(at + all.length - 1) % all.length].focus(); event.preventDefault(); }
    });
    document.addEventListener("pointerdown", (event) => { if (!whole.contains(event.target)) toggle(false); });
    return whole;
  }

  function clock(seconds) {
    return seconds === null || seconds === undefined ? "" : Math.floor(seconds / 60) + ":" + String(Math.round(seconds) % 60).padStart(2, "0");
  }

  function bpm(value) {
    return value === null || value === undefined ? "?" : String(Math.round(value));
  }

  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  function say(text) {
    const place = document.getElementById("announced");
    if (place) place.textContent = text;
  }

  Object.assign(window.disco, { make, svg, icon, button, menu, clock, bpm, say, isCalm: () => calm.matches });
})();
