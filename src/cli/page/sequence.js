// Time against sequence numbers, for one direction of a connection: what its end sends, and the
// acknowledgments, windows and SACK blocks that come back to it.

const sequence = { chart: null, of: null };

/** What the chosen connection sent and was told, with numbers that count from its ISN. */
function sequenceOf(life) {
  const own = lives.indexOf(life);
  const sent = [];
  for (const datagram of life.sent) {
    const { tcp } = datagram;
    if (!tcp || tcp.seq_relative === null) continue;
    const flags = (tcp.flags.includes("SYN") ? 1 : 0) + (tcp.flags.includes("FIN") ? 1 : 0);
    const length = tcp.text_octets + flags;
    if (length)
      sent.push({
        datagram,
        at: timeOf(datagram.sent),
        low: tcp.seq_relative,
        high: tcp.seq_relative + length,
        lost: isLost(datagram),
      });
  }
  return { sent, told: toldTo(life, own) };
}

/** No copy of it was delivered. */
const isLost = (datagram) =>
  datagram.legs.some((leg) => leg.lost) && !datagram.legs.some((leg) => leg.delivered);

/** The acknowledgments that the connection took; those of an old incarnation count from elsewhere. */
function toldTo(life, own) {
  const came = [];
  for (const datagram of run.datagrams) {
    if (!datagram.tcp || datagram.tcp.ack === null || life.iss === null) continue;
    for (const leg of datagram.legs) {
      if (leg.delivered && leg.judged_by === own && !leg.verdict && !leg.old)
        came.push({ datagram, tick: leg.came });
    }
  }
  came.sort((a, b) => a.tick - b.tick);
  // Numbers wrap: each is near the greatest so far.
  let most = 0;
  const near = (number) => most + ((number - life.iss - most) | 0);
  return came.map(({ datagram, tick }) => {
    const ack = near(datagram.tcp.ack);
    most = Math.max(most, ack);
    const blocks = datagram.tcp.sack.map(([left, right]) => [near(left), near(right)]);
    return { datagram, tick, at: timeOf(tick), ack, edge: ack + datagram.tcp.window_octets, blocks };
  });
}

function rangeOfSequence() {
  const { sent, told } = sequence.of;
  const times = [...sent, ...told].map(({ at }) => at);
  const least = times.reduce((a, b) => Math.min(a, b), Infinity);
  const most = times.reduce((a, b) => Math.max(a, b), -Infinity);
  if (times.length) setChartRange(sequence.chart, least, most);
}

/** The sequence numbers in sight; the window edge only as far as it does not flatten the rest. */
function fitSequence(chart) {
  const { sent, told } = sequence.of;
  const inSight = ({ at }) => at >= chart.from && at <= chart.until;
  const numbers = [
    ...sent.filter(inSight).flatMap(({ low, high }) => [low, high]),
    ...told.filter(inSight).map(({ ack }) => ack),
  ];
  const low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!numbers.length) return;
  const room = Math.max(1, (high - low) * 0.08);
  const edges = told
    .filter(inSight)
    .map(({ edge }) => edge)
    .filter((edge) => edge < high + 2 * (high - low));
  [chart.low, chart.high] = [low - room, Math.max(high, ...edges.slice(0, 1e4)) + room];
}

function paintSequence(chart) {
  fitSequence(chart);
  drawValueAxis(chart, "sequence number, from the ISN");
  paintSteps(chart, "edge", ({ edge }) => edge);
  paintSteps(chart, "acked", ({ ack }) => ack);
  const paths = { sent: "", again: "", lost: "", sack: "" };
  for (const { datagram, at, low, high, lost } of sequence.of.sent) {
    const x = chart.x(at);
    if (x < CHART.left || x > chart.right) continue;
    const kind = lost ? "lost" : datagram.again ? "again" : "sent";
    paths[kind] += `M${x} ${chart.y(low)}V${Math.min(chart.y(high), chart.y(low) - 2)}`;
    addPoint(
      chart,
      x,
      (chart.y(low) + chart.y(high)) / 2,
      datagram.text,
      () => datagramRows(datagram),
      () => pickAndJump(datagram, datagram.sent),
    );
  }
  for (const { datagram, at, tick, ack, blocks } of sequence.of.told) {
    const x = chart.x(at);
    if (x < CHART.left || x > chart.right) continue;
    for (const [left, right] of blocks) paths.sack += `M${x} ${chart.y(left)}V${chart.y(right)}`;
    addPoint(
      chart,
      x,
      chart.y(ack),
      datagram.text,
      () => datagramRows(datagram),
      () => pickAndJump(datagram, tick),
    );
  }
  for (const [kind, d] of Object.entries(paths)) chart.plot.append(svg("path", { class: `seq ${kind}`, d }));
  drawChartNow(chart);
}

/** A line that goes on flat until the next news, and never back: that is for old ones. */
function paintSteps(chart, kind, value) {
  let [d, most] = ["", -Infinity];
  for (const news of sequence.of.told) {
    most = Math.max(most, value(news));
    const y = Math.max(-1e4, chart.y(most));
    d += d ? `H${chart.x(news.at)}V${y}` : `M${chart.x(news.at)} ${y}`;
  }
  if (d) chart.plot.append(svg("path", { class: `seq ${kind}`, d: `${d}H${chart.right}` }));
}

function pickAndJump(datagram, tick) {
  choose("datagram", datagram);
  jumpTo(tick);
}

function drawSequence() {
  if (!chosen.connection) {
    byId("sequence-chart").replaceChildren(html("p", {}, "There is no connection in this part of the run."));
    return;
  }
  sequence.chart.draw();
}

function setUpSequence() {
  sequence.chart = newChart(byId("sequence-chart"), paintSequence);
  follow("connection", (life) => {
    if (!life) return;
    sequence.of = sequenceOf(life);
    rangeOfSequence();
  });
  drawWhenShown("sequence", drawSequence, "tick", "connection");
  const bar = (kind) => svg("path", { class: `seq ${kind}`, d: "M15 2V12" });
  const step = (kind) => svg("path", { class: `seq ${kind}`, d: "M2 11H14V4H28" });
  const entries = [
    [bar("sent"), "a segment"],
    [bar("again"), "sent again"],
    [bar("lost"), "lost"],
    [step("acked"), "acknowledged"],
    [step("edge"), "end of the window"],
    [bar("sack"), "SACK block"],
  ];
  byId("sequence-legend").append(...entries.map(([mark, word]) => legendEntry(mark, word)));
}
