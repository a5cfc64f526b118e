// Axes, zoom and pan that the charts over time share.

const CHART = { left: 92, right: 20, top: 14, bottom: 40 };

/** Round steps of an axis: so that some `count` of them cover `span`. */
function roundStep(span, count) {
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw);
}

/** A chart in this element; `paint(chart)` draws into `chart.plot` with `chart.x` and `chart.y`. */
function newChart(box, paint) {
  const chart = { box, paint, whole: [0, 1], from: 0, until: 1, low: 0, high: 1, points: [] };
  chart.draw = () => drawChart(chart);
  chart.show = (from, until) => {
    const least = 1000;
    const middle = (from + until) / 2;
    const half = Math.max(least, until - from) / 2;
    [chart.from, chart.until] = [middle - half, middle + half];
    chart.draw();
  };
  setUpChartPointer(chart);
  box.addEventListener("keydown", (event) => chartKey(chart, event));
  return chart;
}

/** Sets what there is to see, with a little room at both ends. */
function setChartRange(chart, from, until) {
  const room = Math.max(1000, (until - from) * 0.03);
  chart.whole = [from - room, until + room];
  [chart.from, chart.until] = chart.whole;
}

function drawChart(chart) {
  const [width, height] = [Math.max(320, chart.box.clientWidth), Math.max(200, chart.box.clientHeight)];
  const [right, bottom] = [width - CHART.right, height - CHART.bottom];
  Object.assign(chart, { width, height, right, bottom });
  chart.x = (ns) => CHART.left + ((ns - chart.from) * (right - CHART.left)) / (chart.until - chart.from);
  chart.y = (value) => bottom - ((value - chart.low) * (bottom - CHART.top)) / (chart.high - chart.low || 1);
  chart.points = [];
  chart.plot = svg("g", { "clip-path": `url(#clip-${chart.box.id})` });
  const clip = svg(
    "clipPath",
    { id: `clip-${chart.box.id}` },
    svg("rect", { x: CHART.left, y: 0, width: right - CHART.left, height: bottom + 1 }),
  );
  const axes = svg(
    "g",
    { class: "axes" },
    svg("path", { class: "axis", d: `M${CHART.left} ${CHART.top}V${bottom}H${right}` }),
  );
  drawTimeAxis(chart, axes);
  chart.axes = axes;
  chart.paint(chart);
  chart.box.replaceChildren(
    svg(
      "svg",
      { class: "picture", width, height, viewBox: `0 0 ${width} ${height}` },
      svg("defs", {}, clip),
      axes,
      chart.plot,
    ),
  );
}

function drawTimeAxis(chart, axes) {
  const step = roundStep(chart.until - chart.from, Math.max(2, (chart.right - CHART.left) / 110));
  const digits = Math.max(0, Math.min(9, 9 - Math.floor(Math.log10(step))));
  for (let at = Math.ceil(chart.from / step) * step; at <= chart.until; at += step) {
    const x = chart.x(at);
    axes.append(svg("line", { class: "grid", x1: x, x2: x, y1: CHART.top, y2: chart.bottom }));
    axes.append(
      svg("text", { x, y: chart.bottom + 16, "text-anchor": "middle" }, ((at || 0) / 1e9).toFixed(digits)),
    );
  }
  axes.append(
    svg("text", { x: chart.right, y: chart.bottom + 34, "text-anchor": "end", class: "title" }, "seconds"),
  );
}

/** Round numbers at the left. */
function drawValueAxis(chart, title) {
  const step = Math.max(1, roundStep(chart.high - chart.low || 1, 6));
  for (let at = Math.ceil(chart.low / step) * step; at <= chart.high; at += step) {
    const y = chart.y(at);
    chart.axes.append(svg("line", { class: "grid", x1: CHART.left, x2: chart.right, y1: y, y2: y }));
    chart.axes.append(svg("text", { x: CHART.left - 8, y: y + 4, "text-anchor": "end" }, grouped(at || 0)));
  }
  const middle = (CHART.top + chart.bottom) / 2;
  chart.axes.append(
    svg(
      "text",
      { class: "title", "text-anchor": "middle", transform: `translate(14 ${middle}) rotate(-90)` },
      title,
    ),
  );
}

/** The chosen instant as a line. */
function drawChartNow(chart) {
  if (!run.ticks.length) return;
  const x = chart.x(timeOf(chosen.tick));
  chart.plot.append(svg("line", { class: "now", x1: x, x2: x, y1: CHART.top, y2: chart.bottom }));
}

/** Something that the pointer finds: where it is, what it says, and what a click does. */
const addPoint = (chart, x, y, title, rows, click) => chart.points.push({ x, y, title, rows, click });

function nearestPoint(chart, event) {
  const box = chart.box.getBoundingClientRect();
  const [px, py] = [event.clientX - box.left, event.clientY - box.top];
  let best = { at: 12, point: null };
  for (const point of chart.points) {
    const at = Math.hypot(point.x - px, point.y - py);
    if (at < best.at) best = { at, point };
  }
  return best.point;
}

function setUpChartPointer(chart) {
  const { box } = chart;
  let pan = null;
  const perPixel = () => (chart.until - chart.from) / (chart.right - CHART.left);
  box.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const at = chart.from + (event.clientX - box.getBoundingClientRect().left - CHART.left) * perPixel();
      const by = Math.exp(event.deltaY / 300);
      chart.show(at - (at - chart.from) * by, at + (chart.until - at) * by);
    },
    { passive: false },
  );
  box.addEventListener("pointerdown", (event) => {
    pan = { x: event.clientX, from: chart.from, until: chart.until, moved: false };
  });
  box.addEventListener("pointermove", (event) => {
    if (pan && event.buttons) {
      pan.moved ||= Math.abs(event.clientX - pan.x) > 4;
      const by = (pan.x - event.clientX) * perPixel();
      if (pan.moved) chart.show(pan.from + by, pan.until + by);
      return;
    }
    const point = nearestPoint(chart, event);
    if (point) showHover(event, point.title, point.rows());
    else hideHover();
  });
  box.addEventListener("pointerup", (event) => {
    if (pan && !pan.moved) nearestPoint(chart, event)?.click?.();
    pan = null;
  });
  box.addEventListener("pointerleave", () => {
    pan = null;
    hideHover();
  });
  box.addEventListener("dblclick", () => chart.show(...chart.whole));
}

/** The arrows pan by a tenth of what is in sight, + and - zoom, 0 shows everything. */
function chartKey(chart, event) {
  const [span, middle] = [chart.until - chart.from, (chart.from + chart.until) / 2];
  const deeds = {
    ArrowRight: () => chart.show(chart.from + span / 10, chart.until + span / 10),
    ArrowLeft: () => chart.show(chart.from - span / 10, chart.until - span / 10),
    "+": () => chart.show(middle - span / 3, middle + span / 3),
    "-": () => chart.show(middle - span * 0.75, middle + span * 0.75),
    0: () => chart.show(...chart.whole),
  };
  if (!deeds[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  deeds[event.key]();
}
