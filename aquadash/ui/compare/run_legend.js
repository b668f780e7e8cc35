// The legend of compared runs, and what links their charts. See comparison_curves.py.

const SVG = "http://www.w3.org/2000/svg";
const DASHES = { solid: "", dash: "7 3", dot: "2 3", dashdot: "7 3 2 3" };
const MARKERS = {
  circle: "M0-4.5A4.5 4.5 0 1 1 0 4.5A4.5 4.5 0 1 1 0-4.5Z",
  square: "M-4-4H4V4H-4Z",
  diamond: "M0-5.5L5.5 0 0 5.5-5.5 0Z",
  "triangle-up": "M0-5L5 4H-5Z",
  x: "M-4.5-2.5L-2.5-4.5 0-2 2.5-4.5 4.5-2.5 2 0 4.5 2.5 2.5 4.5 0 2-2.5 4.5-4.5 2.5-2 0Z",
  star: "M0-6L1.5-2 6-2 2.4.8 3.7 5 0 2.5-3.7 5-2.4.8-6-2-1.5-2Z",
  "triangle-down": "M0 5L5-4H-5Z",
  cross: "M-1.6-5H1.6V-1.6H5V1.6H1.6V5H-1.6V1.6H-5V-1.6H-1.6Z",
  pentagon: "M0-5.2L5-1.6 3.1 4.3H-3.1L-5-1.6Z",
  hexagram: "M0-6L1.8-3H5.2L3.5 0 5.2 3H1.8L0 6-1.8 3H-5.2L-3.5 0-5.2-3H-1.8Z",
};

// The legend that is on the page now; charts that outlive a drawing of it ask for the present one.
let present = null;

function swatch(run) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("width", "30");
  picture.setAttribute("height", "14");
  picture.setAttribute("viewBox", "-15 -7 30 14");
  picture.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "line");
  for (const [name, value] of Object.entries({ x1: -15, x2: 15, stroke: run.colour, "stroke-width": 2 })) {
    line.setAttribute(name, value);
  }
  line.setAttribute("stroke-dasharray", DASHES[run.dash] || "");
  const marker = document.createElementNS(SVG, "path");
  marker.setAttribute("d", MARKERS[run.marker] || MARKERS.circle);
  marker.setAttribute("fill", run.colour);
  picture.append(line, marker);
  return picture;
}

// What of the runs there is on the page: [element, position of its run]. Traces say in their `meta` whose they are.
function* parts() {
  for (const chart of document.querySelectorAll(".js-plotly-plot")) {
    for (const trace of chart._fullData || []) {
      const run = trace.meta && trace.meta.run;
      const shapes = typeof run === "number" && chart.querySelector(`g.trace.trace${CSS.escape(trace.uid)}`);
      if (shapes) yield [shapes, run];
    }
  }
  for (const card of document.querySelectorAll("[class*='st-key-run-card-']")) {
    const found = /st-key-run-card-(\d+)/.exec(card.className);
    if (found) yield [card, Number(found[1])];
  }
}

function light(index) {
  for (const [element, run] of parts()) {
    element.dataset.run = run;
    const lit = index >= 0 && run === index;
    const dim = index >= 0 && run !== index;
    if (element.classList.contains("aqua-lit") !== lit) element.classList.toggle("aqua-lit", lit);
    if (element.classList.contains("aqua-dim") !== dim) element.classList.toggle("aqua-dim", dim);
  }
}

function runOfPoint(event) {
  const point = event && event.points && event.points[0];
  const meta = point && point.fullData && point.fullData.meta;
  return meta && typeof meta.run === "number" ? meta.run : -1;
}

// Listen to a chart, once in its life.
function link(chart) {
  if (chart.aquaLinked || typeof chart.on !== "function") return;
  chart.aquaLinked = true;
  chart.on("plotly_hover", (event) => present && present.hover(runOfPoint(event)));
  chart.on("plotly_unhover", () => present && present.hover(-1));
  chart.on("plotly_afterplot", () => present && present.draw());
  chart.on("plotly_relayout", (change) => {
    const unit = chart.layout && chart.layout.meta && chart.layout.meta.zoom;
    if (!present || !unit) return;
    const range = change["xaxis.range"] || [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (range.every((end) => typeof end === "number")) present.zoom(range.map((end) => end * unit));
    else if (change["xaxis.autorange"]) present.zoom(null);
  });
  chart.on("plotly_doubleclick", () => {
    if (present && chart.layout && chart.layout.meta && chart.layout.meta.zoom) present.zoom(null);
  });
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const place = parentElement.querySelector(".aqua-legend");
  const ids = data.runs.map((run) => run.id);
  let hovered = -1;
  let pinned = ids.indexOf(data.lit);

  const look = JSON.stringify(data.runs);
  if (place.dataset.look !== look) {
    place.dataset.look = look;
    place.replaceChildren(
      ...data.runs.map((run) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(swatch(run), document.createTextNode(run.name));
        return button;
      })
    );
  }
  const buttons = [...place.querySelectorAll("button")];

  const legend = {
    draw() {
      const shown = hovered >= 0 ? hovered : pinned;
      light(shown);
      buttons.forEach((button, index) => {
        button.setAttribute("aria-pressed", String(index === pinned));
        button.classList.toggle("aqua-shown", index === shown);
      });
    },
    hover(index) {
      if (index === hovered) return;
      hovered = index;
      legend.draw();
    },
    pin(index) {
      pinned = index;
      hovered = -1;
      legend.draw();
      setTriggerValue("lit", { id: index >= 0 ? ids[index] : "" });
    },
    zoom(range) {
      setTriggerValue("zoom", { range });
    },
  };
  present = legend;
  buttons.forEach((button, index) => {
    button.onmouseenter = () => legend.hover(index);
    button.onmouseleave = () => legend.hover(-1);
    button.onclick = () => legend.pin(index === pinned ? -1 : index);
    button.onkeydown = (event) => {
      if (event.key === "Escape") legend.pin(-1);
    };
  });

  // Charts come and go with the sections; plotly makes them listen to `on` a moment after they are in the page.
  let waiting = 0;
  const linkAll = () => {
    waiting = 0;
    document.querySelectorAll(".js-plotly-plot").forEach(link);
    legend.draw();
  };
  const soon = () => {
    if (!waiting) waiting = setTimeout(linkAll, 120);
  };
  const observer = new MutationObserver((changes) => {
    if (changes.some((change) => [...change.addedNodes].some((node) => node.nodeType === 1))) soon();
  });
  observer.observe(document.body, { childList: true, subtree: true });
  linkAll();

  return () => {
    observer.disconnect();
    clearTimeout(waiting);
    if (present === legend) {
      present = null;
      light(-1);
    }
  };
}
