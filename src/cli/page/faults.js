// The fault schedule: what the network did to datagrams and what befell hosts, on the time axis.

const faults = { chart: null, rows: [] };

/** One row for each family of faults, each with what landed and when. */
function faultRows() {
  const rows = new Map(
    ["lost", "dropped", "delayed", "copied", "damaged", "held", "released", "marked"].map((name) => [
      name,
      [],
    ]),
  );
  for (const datagram of run.datagrams) {
    const copies = new Set();
    for (const leg of datagram.legs) {
      const add = (family, tick, until = null) => rows.get(family).push({ datagram, tick, until });
      if (leg.lost) add(leg.lost === "lost" ? "lost" : "dropped", leg.came ?? leg.left);
      if (leg.extra_ns) add("delayed", leg.left, leg.came);
      if (leg.marked) add("marked", leg.left);
      if (leg.kept) add("held", leg.left, leg.came);
      if (leg.kept && leg.came !== null) add("released", leg.came);
      if (leg.copy && !copies.size) {
        copies.add(leg);
        add("copied", leg.left);
      }
    }
    const damaged = datagram.legs.find((leg) => leg.damaged);
    if (damaged) rows.get("damaged").push({ datagram, tick: damaged.left, until: null });
  }
  const all = [...rows].map(([name, marks]) => ({ name, marks }));
  for (const [node, { name }] of run.nodes.entries()) {
    const marks = crashes(node);
    if (marks.length) all.push({ name: `${name} off`, marks });
  }
  return all;
}

/** The times in which a host was off. */
function crashes(node) {
  const marks = [];
  for (const event of run.events.filter((its) => its.node === node)) {
    if (event.what === "crash") marks.push({ datagram: null, tick: event.at, until: null });
    if (event.what === "boot" && marks.length) marks.at(-1).until = event.at;
  }
  return marks;
}

function paintFaults(chart) {
  const height = (chart.bottom - CHART.top) / faults.rows.length;
  for (const [place, { name, marks }] of faults.rows.entries()) {
    const y = CHART.top + height * (place + 0.5);
    chart.axes.append(
      svg("line", { class: "grid", x1: CHART.left, x2: chart.right, y1: y, y2: y }),
      svg("text", { x: CHART.left - 8, y: y - 1, "text-anchor": "end", class: "name" }, name),
      svg(
        "text",
        { x: CHART.left - 8, y: y + 13, "text-anchor": "end" },
        marks.length ? grouped(marks.length) : "none",
      ),
    );
    paintFaultRow(chart, name, marks, y, Math.min(9, height / 3));
  }
  paintHealing(chart);
  drawChartNow(chart);
}

function paintFaultRow(chart, name, marks, y, half) {
  let [points, bars] = ["", ""];
  for (const { datagram, tick, until } of marks) {
    const x = chart.x(timeOf(tick));
    const end = until === null ? x : chart.x(timeOf(until));
    if (end < CHART.left || x > chart.right) continue;
    points += `M${x} ${y - half}V${y + half}`;
    if (until !== null) bars += `M${x} ${y}H${end}`;
    const rows = () =>
      datagram
        ? datagramRows(datagram)
        : [
            ["From", `${seconds(timeOf(tick))} s`],
            ["Until", until === null ? "the end" : `${seconds(timeOf(until))} s`],
          ];
    addPoint(chart, x, y, datagram ? `${name}: ${datagram.text}` : name, rows, () =>
      pickAndJump(datagram, tick),
    );
  }
  const kind = name.split(" ").at(-1);
  chart.plot.append(
    svg("path", { class: `fault bar ${kind}`, d: bars }),
    svg("path", { class: `fault ${kind}`, d: points }),
  );
}

/** From then on nothing is done to datagrams any more. */
function paintHealing(chart) {
  const x = chart.x(run.heal_ns);
  if (x < CHART.left || x > chart.right) return;
  const far = x > chart.right - 120;
  chart.plot.append(
    svg("line", { class: "heal", x1: x, x2: x, y1: CHART.top, y2: chart.bottom }),
    svg(
      "text",
      { class: "heal", x: x + (far ? -5 : 5), y: CHART.top + 8, "text-anchor": far ? "end" : "start" },
      "the network heals",
    ),
  );
}

function setUpFaults() {
  faults.chart = newChart(byId("faults-chart"), paintFaults);
  faults.rows = faultRows();
  const heals =
    run.heal_ns <= run.simulated_ns ? `heals at ${seconds(run.heal_ns)} s` : "does not heal before the end";
  byId("faults").querySelector(".hint").append(` · the network ${heals}`);
  const times = faults.rows.flatMap(({ marks }) =>
    marks.flatMap(({ tick, until }) => [timeOf(tick), timeOf(until ?? tick)]),
  );
  const least = times.reduce((a, b) => Math.min(a, b), run.from_ns);
  const most = times.reduce((a, b) => Math.max(a, b), times.length ? -Infinity : run.until_ns);
  setChartRange(faults.chart, least, most);
  drawWhenShown("faults", faults.chart.draw, "tick");
}
