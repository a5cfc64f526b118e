// Where on the ladder each observation stands.
//
// Time is told in two ways. By rows: what is drawn gets a line of its own, and the longer nothing
// happened the wider the gap, by its logarithm; so microseconds and minutes fit one page. By true
// time: a second is as long as any other.

const ROW = 15;
const NOTE = 12;

/** Observations that are drawn as a line or a word, and those with a remark below. */
function weights() {
  const lines = new Uint8Array(run.ticks.length);
  const notes = new Uint8Array(run.ticks.length);
  for (const datagram of run.datagrams) {
    lines[datagram.sent] = 1;
    for (const leg of datagram.legs) {
      if (leg.kept) lines[leg.left] = 1;
      if (leg.came === null) continue;
      if (leg.delivered || leg.lost || leg.kept) lines[leg.came] = 1;
      if (arrivalNote(datagram, leg)) notes[leg.came] = 1;
    }
  }
  for (const event of run.events) lines[event.at] = 1;
  // What was before this part is its beginning.
  lines.fill(0, 0, run.first);
  notes.fill(0, 0, run.first);
  return { lines, notes };
}

/** What is said where a datagram has come. */
function arrivalNote(datagram, leg) {
  if (leg.came === null || !(leg.delivered || leg.lost)) return "";
  const words = [];
  if (leg.lost) words.push(`dropped: ${leg.lost}`);
  if (leg.old) words.push("old");
  if (leg.released_by !== null)
    words.push(`from ${nodeName(leg.released_by)} after ${span(timeOf(leg.came) - timeOf(datagram.sent))}`);
  if (leg.damaged) words.push("damaged");
  if (leg.verdict) words.push(leg.verdict);
  return words.join(", ");
}

/** The place of each observation by rows, from 0 down, in pixels at a zoom of 1. */
function placesByRows({ lines, notes }) {
  const places = new Float64Array(run.ticks.length);
  let y = 0;
  for (let tick = run.first; tick < places.length; tick += 1) {
    const gap = tick > run.first ? timeOf(tick) - timeOf(tick - 1) : 0;
    if (gap) y += 2 + 4 * Math.log10(1 + gap / 1000);
    if (lines[tick]) y += ROW;
    places[tick] = y;
    if (notes[tick]) y += NOTE;
  }
  return places;
}

/** The place of each observation by true time: the whole as long as by rows, if that is possible. */
function placesByTime(length) {
  const from = timeOf(run.first);
  const whole = Math.max(1, timeOf(run.ticks.length - 1) - from);
  return Float64Array.from(run.ticks, (ns) => (Math.max(0, ns - from) * length) / whole);
}
