// The run as it was written down, and ways to look things up in it.

const run = JSON.parse(document.getElementById("run").textContent);

/** When an observation was made, in nanoseconds. */
const timeOf = (tick) => run.ticks[tick];

/** The last observation at or before a time; 0 if there is none. */
function tickAt(ns) {
  let low = 0;
  let high = run.ticks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (run.ticks[middle] <= ns) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Whether a time belongs to the part of the run that is told here. */
const isInside = (ns) => run.ticks.length > 0 && ns >= run.from_ns && ns <= run.until_ns;

/** The last item of a list in the order of time that is not later than a tick. */
function lastUpTo(list, tick) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].at <= tick) low = middle + 1;
    else high = middle;
  }
  return list[low - 1];
}

/** What happened at each incarnation, and its variables. */
const lives = run.incarnations.map((its) => ({ ...its, steps: [], shown: [] }));
for (const event of run.events) {
  if (event.of !== null && event.what.state) lives[event.of].steps.push(event);
}
for (const snapshot of run.snapshots) lives[snapshot.of].shown.push(snapshot);

/** A crash ends all that lives at its host, without a word. */
for (const crash of run.events.filter((event) => event.what === "crash")) {
  for (const life of lives) {
    if (life.node === crash.node && life.opened < crash.at) life.crashed ??= crash.at;
  }
}

/** The datagrams that each incarnation sent of its own accord. */
for (const life of lives) life.sent = [];
for (const datagram of run.datagrams) {
  if (!datagram.echo && lives[datagram.of].node === datagram.origin) lives[datagram.of].sent.push(datagram);
}

/** Connections of which something is told here, for the list to choose from. */
const connections = lives.filter((life) => life.remote && (life.steps.length || life.shown.length));

const nodeName = (node) => run.nodes[node].name;
const nameOf = (of) => lives[of].name;

/** The state of an incarnation at a tick; nothing before its first change and after its end. */
function stateAt(life, tick) {
  if (life.crashed <= tick) return null;
  const step = lastUpTo(life.steps, tick);
  return step && step.what.state.to !== "CLOSED" ? step.what.state.to : null;
}

/** A sequence number that counts from the ISN. */
const relative = (number, from) => (from === null ? number : (number - from) >>> 0);

/** Which colour an incarnation has: those of one 4-tuple differ. */
function colourOf(datagram) {
  if (run.nodes[datagram.origin].role === "attacker") return "foe";
  return datagram.tcp ? `g${lives[datagram.of].generation % 6}` : "icmp";
}
