// Every leg of every datagram as a line of the ladder, and every word beside a life line.

/** The lines of the ladder, with the datagram that each belongs to and its number. */
function strokes() {
  const all = [];
  for (const [number, datagram] of run.datagrams.entries()) {
    const colour = colourOf(datagram);
    for (const [place, leg] of datagram.legs.entries()) {
      if ((leg.came ?? (leg.lost ? leg.left : Infinity)) < run.first) continue; // Before this part.
      all.push({ datagram, number, leg, colour, first: place === 0, note: arrivalNote(datagram, leg) });
    }
  }
  return all;
}

/** The ends of a stroke: `x` of a node and `y` of a tick on the screen. */
function strokeEnds({ leg }, x, y, bottom) {
  const [x0, y0] = [x(leg.from), y(leg.left)];
  if (leg.kept) {
    const beside = x0 + 7;
    return [beside, y0, beside, leg.came === null ? bottom : y(leg.came)];
  }
  if (leg.came !== null) return [x0, y0, x(leg.to), y(leg.came)];
  if (leg.lost) return [x0, y0, x0 + (x(leg.to) - x0) * 0.35, y0 + 9];
  return [x0, y0, x(leg.to), bottom];
}

/** How far a point is from a line, in pixels. */
function distance(px, py, [x0, y0, x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = Math.max(0, Math.min(1, ((px - x0) * dx + (py - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - x0 - along * dx, py - y0 - along * dy);
}

/** The head of an arrow that comes from (x0, y0), or a cross. */
function headPath([x0, y0, x1, y1], cross) {
  if (cross) return `M${x1 - 4} ${y1 - 4}l8 8m0 -8l-8 8`;
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const wing = (turn) => `${x1 - 8 * Math.cos(angle + turn)} ${y1 - 8 * Math.sin(angle + turn)}`;
  return `M${wing(0.4)}L${x1} ${y1}L${wing(-0.4)}`;
}

/** The classes of a stroke's line. */
function strokeClass({ leg, colour, datagram }) {
  const classes = ["stroke", colour];
  if (leg.copy) classes.push("copy");
  if (leg.kept) classes.push("kept");
  if (leg.old || datagram.old) classes.push("old");
  return classes.join(" ");
}
