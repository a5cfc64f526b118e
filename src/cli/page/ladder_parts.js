// What the ladder is made of, each part for the frame that is in sight.

/** Seconds at the left, one for each instant that has room. */
function drawTimes({ width, height, y }) {
  const group = svg("g", { class: "times" });
  let [lastY, lastNs] = [-Infinity, -1];
  for (let tick = run.first; tick < run.ticks.length; tick += 1) {
    const at = y(tick);
    if (at > height) break;
    if (at < HEAD - 5 || at - lastY < 14 || timeOf(tick) === lastNs || !ladder.lines[tick]) continue;
    [lastY, lastNs] = [at, timeOf(tick)];
    group.append(
      svg("line", { x1: GUTTER, x2: width, y1: at, y2: at, class: "grid" }),
      svg("text", { x: GUTTER - 6, y: at + 4, "text-anchor": "end" }, seconds(lastNs)),
    );
  }
  return group;
}

function drawLifeLines({ height, x }) {
  const line = (node) =>
    svg("line", {
      x1: x(node),
      x2: x(node),
      y1: HEAD - 8,
      y2: height,
      class: `life ${run.nodes[node].role}`,
    });
  return svg("g", {}, ...run.lanes.map(line));
}

/** The times in which hosts were off. */
function drawOffTimes({ height, x, y }) {
  const offTime =
    (node) =>
    ({ tick, until }) =>
      svg("line", {
        class: "off",
        x1: x(node),
        x2: x(node),
        y1: Math.max(HEAD - 8, y(tick)),
        y2: until === null ? height : y(until),
      });
  return svg(
    "g",
    {},
    ...run.lanes.flatMap((node) =>
      crashes(node)
        .filter(({ until }) => until === null || y(until) > HEAD)
        .map(offTime(node)),
    ),
  );
}

/** Where something was found: a mark between the seconds and the ladder. */
function drawFindings({ height, y }) {
  const group = svg("g", { class: "finds" });
  for (const { kind, oracle, at_ns: at, message } of run.findings) {
    if (!isInside(at)) continue;
    const place = y(tickAt(at));
    if (place < HEAD || place > height) continue;
    group.append(
      svg(
        "path",
        { class: kind, d: `M${GUTTER} ${place - 6}l10 6l-10 6z` },
        svg("title", {}, `${kind} of ${oracle}: ${message}`),
      ),
    );
  }
  return group;
}

/** The names of the nodes, always in sight. */
function drawLadderHead({ width, x }) {
  const group = svg("g", { class: "head" }, svg("rect", { width, height: HEAD - 8, class: "page" }));
  group.append(svg("text", { x: GUTTER - 6, y: 20, "text-anchor": "end" }, "seconds"));
  for (const node of run.lanes) {
    const { name, addresses } = run.nodes[node];
    group.append(svg("text", { x: x(node), y: 13, "text-anchor": "middle", class: "name" }, name));
    group.append(
      svg("text", { x: x(node), y: 27, "text-anchor": "middle" }, addresses[0] ?? run.nodes[node].role),
    );
  }
  return group;
}

function drawStrokes() {
  const group = svg("g");
  for (const { stroke, ends } of ladder.inSight) {
    const [x0, y0, x1, y1] = ends;
    const cross = stroke.leg.lost !== null;
    const reached = stroke.leg.delivered || cross;
    group.append(
      svg("path", {
        class: strokeClass(stroke),
        d: `M${x0} ${y0}L${x1} ${y1}`,
        "data-datagram": stroke.number,
      }),
    );
    if (reached)
      group.append(
        svg("path", { class: `tip ${stroke.colour}${cross ? " cross" : ""}`, d: headPath(ends, cross) }),
      );
    if (stroke.leg.marked)
      group.append(
        svg("circle", { class: "marked", cx: x0 + (x1 - x0) * 0.1, cy: y0 + (y1 - y0) * 0.1, r: 3.5 }),
      );
  }
  return group;
}

/** One path for all strokes of a kind: quick, and good enough where no single one can be seen. */
function drawManyStrokes() {
  const paths = new Map();
  for (const {
    stroke,
    ends: [x0, y0, x1, y1],
  } of ladder.inSight) {
    const kind = stroke.leg.lost ? "stroke lost" : strokeClass(stroke);
    paths.set(
      kind,
      `${paths.get(kind) ?? ""}M${x0.toFixed(1)} ${y0.toFixed(1)}L${x1.toFixed(1)} ${y1.toFixed(1)}`,
    );
  }
  return svg("g", { class: "many" }, ...[...paths].map(([kind, d]) => svg("path", { class: kind, d })));
}

/** Whether a word has room beside those that are there already; it takes its place then. */
function roomFor(taken, { x, y, "text-anchor": anchor }, text) {
  const [wide, high] = [text.length * 6.95, 11];
  const left = anchor === "end" ? x - wide : x;
  if (
    taken.some(
      (other) => Math.abs(other.y - y) < high && other.left < left + wide && left < other.left + other.wide,
    )
  )
    return false;
  taken.push({ left, wide, y });
  return true;
}

/** What is sent, where it leaves; and what became of it, where it has come. */
function drawWords({ x }, taken) {
  const group = svg("g", { class: "words" });
  for (const {
    stroke,
    ends: [x0, y0, x1, y1],
  } of ladder.inSight) {
    const { datagram, leg, colour, first, note } = stroke;
    const rightward = x1 >= x0;
    if (first && !leg.copy) {
      const again = datagram.again ? " resent" : "";
      const mine = datagram.echo ? "reply" : nameOf(datagram.of).replace(/^h\d+/, "");
      const text = `${mine} ${datagram.text}${again}`;
      const place = { x: x0 + (rightward ? 10 : -10), y: y0 - 3, "text-anchor": rightward ? "start" : "end" };
      if (roomFor(taken, place, text)) group.append(svg("text", { ...place, class: colour }, text));
    }
    if (note) {
      const place = {
        x: x(leg.to) + (rightward ? -10 : 10),
        y: y1 + 12,
        "text-anchor": rightward ? "end" : "start",
      };
      if (roomFor(taken, place, note)) group.append(svg("text", { ...place, class: "note" }, note));
    }
  }
  return group;
}

/** Changes of state, timers and users beside the life lines; off times on them. */
function drawEvents({ height, x, y }, taken) {
  const group = svg("g", { class: "events" });
  for (const event of run.events) {
    const at = y(event.at);
    if (event.at < run.first || at < HEAD - 20 || at > height + 20) continue;
    const what = typeof event.what === "string" ? event.what : "state";
    const left = ladder.laneOf[event.node] === 0;
    const place = { x: x(event.node) + (left ? -9 : 9), y: at + 4, "text-anchor": left ? "end" : "start" };
    const of = event.of === null ? "" : `${nameOf(event.of).replace(/^h\d+/, "")} `;
    if (!roomFor(taken, place, of + event.text)) continue;
    group.append(
      svg("circle", { cx: x(event.node), cy: at, r: what === "state" ? 3.5 : 2.5, class: `dot ${what}` }),
      svg("text", { ...place, class: what }, of + event.text),
    );
  }
  return group;
}

/** The chosen instant. */
function drawNow({ width, y }) {
  if (!run.ticks.length) return svg("g");
  const at = y(chosen.tick);
  return svg("line", { x1: GUTTER, x2: width, y1: at, y2: at, class: "now" });
}

/** The chosen datagram, over everything else. */
function drawChosen() {
  const own = ladder.inSight.filter(({ stroke }) => stroke.datagram === chosen.datagram);
  return svg(
    "g",
    {},
    ...own.map(({ ends: [x0, y0, x1, y1] }) =>
      svg("path", { class: "picked", d: `M${x0} ${y0}L${x1} ${y1}` }),
    ),
  );
}
