/* The figure of the flow. Plotly, most of the page's weight, is fetched only after the list stands. */
(function () {
  "use strict";
  const { make } = window.disco;
  // Colours of figures, which are drawn for a light page, on a dark one.
  const DARK = { "#1f2933": "#e8edf2", "#66727f": "#a9b4c0", "#c9d0d6": "#4a5663", "#e4e8ec": "#2b343d", "#f3f1ea": "#232a33", "#e9ecef": "#333d47", "#fbfbfa": "#1a2027", "#dfe2e5": "#39434d", white: "#171c22" };
  const CONFIG = { displayModeBar: false, scrollZoom: false, responsive: true };
  let library = null;
  let waiting = null;
  let onHover = null;
  let onClick = null;

  const place = () => document.getElementById("figure");

  function start(source, hovered, clicked) {
    onHover = hovered;
    onClick = clicked;
    library = () => {
      library = () => {};
      // What is shown already is painted first.
      requestAnimationFrame(() => setTimeout(() => document.head.append(make("script", { src: source, onload: drawWaiting })), 0));
    };
  }

  function drawn(figure, dark) {
    let text = JSON.stringify(figure);
    if (dark) {
      text = text.replace(/"(#[0-9a-fA-F]{6}|white)"/g, (whole, colour) => (DARK[colour.toLowerCase()] ? '"' + DARK[colour.toLowerCase()] + '"' : whole))
        .replace(/rgba\(255, 255, 255, 0\.8\)/g, "rgba(23, 28, 34, 0.8)");
    }
    const copy = JSON.parse(text);
    copy.layout = Object.assign({}, copy.layout, { paper_bgcolor: "rgba(0,0,0,0)", autosize: true, width: undefined });
    // What lies on the colour of a key stays dark.
    for (const trace of copy.data) if (trace.textfont && (trace.name === "tracks" || trace.name === "key")) trace.textfont.color = "#1f2933";
    return copy;
  }

  async function drawWaiting() {
    if (!waiting) return;
    const figure = waiting;
    waiting = null;
    const graph = place();
    const isFirst = !graph.on;
    await window.Plotly.react(graph, figure.data, figure.layout, CONFIG);
    if (!isFirst) return;
    graph.on("plotly_hover", (event) => onHover(event.points[0]));
    graph.on("plotly_click", (event) => onClick(event.points[0]));
  }

  function draw(figure, dark) {
    waiting = drawn(figure, dark);
    if (window.Plotly) drawWaiting();
    else library();
  }

  /* Light up the point of a track in the map; none without an id. */
  function point(id) {
    const graph = place();
    if (!window.Plotly || !graph.data) return;
    const curve = graph.data.findIndex((trace) => trace.name === "tracks");
    const at = id && curve >= 0 ? (graph.data[curve].customdata || []).indexOf(id) : -1;
    try {
      if (at >= 0) window.Plotly.Fx.hover(graph, [{ curveNumber: curve, pointNumber: at }]);
      else window.Plotly.Fx.unhover(graph);
    } catch (error) { /* it is being drawn anew */ }
  }

  function picture(name) {
    if (window.Plotly && place().data) window.Plotly.downloadImage(place(), { format: "png", width: 1200, height: 800, scale: 2, filename: name });
  }

  window.disco.figure = { start, draw, point, picture };
})();
