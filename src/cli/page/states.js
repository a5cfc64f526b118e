// The states of a connection (RFC 9293 §3.3.2, figure 5) and the path that one of them took.

const STATE_PLACES = {
  CLOSED: [410, 40],
  LISTEN: [410, 130],
  "SYN-RECEIVED": [150, 225],
  "SYN-SENT": [670, 225],
  ESTABLISHED: [410, 320],
  "FIN-WAIT-1": [150, 415],
  "CLOSE-WAIT": [670, 415],
  "FIN-WAIT-2": [150, 540],
  CLOSING: [410, 500],
  "LAST-ACK": [670, 540],
  "TIME-WAIT": [410, 640],
  "CLOSED ": [670, 640],
};
const [BOX_WIDTH, BOX_HEIGHT] = [124, 34];

/** From, to, what it takes, how far it is bent, and where the words stand beside the middle. */
const STATE_ARROWS = [
  ["CLOSED", "LISTEN", "passive OPEN", 14, "end"],
  ["LISTEN", "CLOSED", "CLOSE", 14, "start"],
  ["CLOSED", "SYN-SENT", "active OPEN / SYN", 0, "start"],
  ["SYN-SENT", "CLOSED", "CLOSE", 40, "start"],
  ["LISTEN", "SYN-RECEIVED", "rcv SYN / SYN,ACK", 0, "start"],
  ["LISTEN", "SYN-SENT", "SEND / SYN", 0, "end"],
  ["SYN-RECEIVED", "LISTEN", "rcv RST", 30, "end"],
  ["SYN-SENT", "SYN-RECEIVED", "rcv SYN / SYN,ACK", 0, "middle"],
  ["SYN-RECEIVED", "ESTABLISHED", "rcv ACK of SYN", 0, "start"],
  ["SYN-SENT", "ESTABLISHED", "rcv SYN,ACK / ACK", 0, "start"],
  ["SYN-RECEIVED", "FIN-WAIT-1", "CLOSE / FIN", 0, "end"],
  ["ESTABLISHED", "FIN-WAIT-1", "CLOSE / FIN", 0, "start"],
  ["ESTABLISHED", "CLOSE-WAIT", "rcv FIN / ACK", 0, "start"],
  ["FIN-WAIT-1", "FIN-WAIT-2", "rcv ACK of FIN", 0, "end"],
  ["FIN-WAIT-1", "CLOSING", "rcv FIN / ACK", 0, "start"],
  ["FIN-WAIT-1", "TIME-WAIT", "rcv FIN and ACK / ACK", -24, "end"],
  ["CLOSE-WAIT", "LAST-ACK", "CLOSE / FIN", 0, "start"],
  ["FIN-WAIT-2", "TIME-WAIT", "rcv FIN / ACK", 0, "end"],
  ["CLOSING", "TIME-WAIT", "rcv ACK of FIN", 0, "start"],
  ["LAST-ACK", "CLOSED ", "rcv ACK of FIN", 0, "start"],
  ["TIME-WAIT", "CLOSED ", "2MSL", 0, "middle"],
];

/** Where a line from the middle of one box to that of another leaves the first. */
function boxEdge([x, y], [towardsX, towardsY]) {
  const [dx, dy] = [towardsX - x, towardsY - y];
  const scale = Math.min(BOX_WIDTH / 2 / Math.abs(dx || 1e-9), BOX_HEIGHT / 2 / Math.abs(dy || 1e-9));
  return [x + dx * scale, y + dy * scale];
}

/** A bent arrow between two boxes: its path, its head, and its middle. */
function stateArrow(from, to, bend) {
  const [a, b] = [STATE_PLACES[from], STATE_PLACES[to]];
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const across = [-(b[1] - a[1]) / length, (b[0] - a[0]) / length];
  const control = [(a[0] + b[0]) / 2 + across[0] * bend * 2, (a[1] + b[1]) / 2 + across[1] * bend * 2];
  const [start, end] = [boxEdge(a, control), boxEdge(b, control)];
  const middle = [0, 1].map((axis) => (start[axis] + 2 * control[axis] + end[axis]) / 4);
  return {
    line: `M${start}Q${control} ${end}`,
    head: headPath([...control, ...end], false),
    middle,
  };
}

/** CLOSED at the end of a path is another box than CLOSED at its beginning. */
const stateBox = (name, atEnd) => (name === "CLOSED" && atEnd ? "CLOSED " : name);

/** The steps of a connection up to the chosen instant, as arrows. */
function stepsTaken(life) {
  return life.steps.map((step, place) => {
    const { from, to, cause } = step.what.state;
    const back = from === "LISTEN" || (from === "SYN-SENT" && to === "CLOSED");
    return { step, place, cause, from: stateBox(from, false), to: stateBox(to, !back) };
  });
}

function drawStates() {
  const life = chosen.connection;
  if (!life) {
    byId("states-diagram").replaceChildren(html("p", {}, "There is no connection in this part of the run."));
    return;
  }
  const taken = stepsTaken(life);
  const picture = svg("svg", {
    viewBox: "0 0 820 690",
    class: "picture",
    role: "img",
    "aria-label": `States of ${life.name}`,
  });
  picture.append(...stateArrows(taken), ...stateBoxes(life, taken));
  byId("states-diagram").replaceChildren(picture);
  byId("states-path").replaceChildren(statePath(life, taken));
}

/** All arrows of the figure, those taken over them, and those taken that are not in the figure. */
function stateArrows(taken) {
  const drawn = [];
  const numbers = new Map();
  for (const { from, to, place } of taken)
    numbers.set(`${from}>${to}`, [...(numbers.get(`${from}>${to}`) ?? []), place + 1]);
  const draw = (from, to, words, bend, anchor) => {
    const { line, head, middle } = stateArrow(from, to, bend);
    const of = numbers.get(`${from}>${to}`);
    numbers.delete(`${from}>${to}`);
    const own = svg(
      "g",
      { class: `arrow${of ? " taken" : ""}${words ? "" : " other"}` },
      svg("path", { d: line }),
      svg("path", { d: head }),
    );
    const badge = of ? badgeWidth(of) / 2 : 0;
    const aside = { start: 7 + badge, end: -7 - badge, middle: 0 }[anchor];
    const above = anchor === "middle" ? (of ? -14 : -6) : 4;
    own.append(svg("text", { x: middle[0] + aside, y: middle[1] + above, "text-anchor": anchor }, words));
    drawn.push(own);
    if (of) drawn.push(stateBadge(middle, of));
  };
  for (const arrow of STATE_ARROWS) draw(...arrow);
  for (const way of [...numbers.keys()]) draw(...way.split(">"), "", 60, "start");
  const over = ({ classList }) => (classList.contains("badge") ? 2 : Number(classList.contains("taken")));
  return drawn.sort((a, b) => over(a) - over(b));
}

const badgeText = (numbers) => (numbers.length > 3 ? `${numbers[0]}…${numbers.at(-1)}` : numbers.join(","));
const badgeWidth = (numbers) => 11 + 7 * badgeText(numbers).length;

/** The numbers of the steps that went over an arrow. */
function stateBadge([x, y], numbers) {
  const [text, width] = [badgeText(numbers), badgeWidth(numbers)];
  return svg(
    "g",
    { class: "badge" },
    svg("rect", { x: x - width / 2, y: y - 9, width, height: 18, rx: 9 }),
    svg("text", { x, y: y + 4, "text-anchor": "middle" }, text),
  );
}

function stateBoxes(life, taken) {
  const been = new Set(taken.flatMap(({ from, to }) => [from, to]));
  const last = taken.filter(({ step }) => step.at <= chosen.tick).at(-1);
  return Object.entries(STATE_PLACES).map(([name, [x, y]]) => {
    const kind = `${been.has(name) ? " been" : ""}${last?.to === name ? " here" : ""}`;
    return svg(
      "g",
      { class: `state${kind}` },
      svg("rect", {
        x: x - BOX_WIDTH / 2,
        y: y - BOX_HEIGHT / 2,
        width: BOX_WIDTH,
        height: BOX_HEIGHT,
        rx: 5,
      }),
      svg("text", { x, y: y + 5, "text-anchor": "middle" }, name.trim()),
    );
  });
}

/** The path as a list, each step a link to its instant. */
function statePath(life, taken) {
  const last = taken.filter(({ step }) => step.at <= chosen.tick).at(-1);
  const rows = taken.map(({ step, place, cause }) =>
    html(
      "tr",
      { class: step === last?.step ? "now-row" : "" },
      html("td", {}, String(place + 1)),
      html(
        "td",
        {},
        html(
          "button",
          { type: "button", class: "jump", onclick: () => jumpTo(step.at) },
          `${seconds(timeOf(step.at))} s`,
        ),
      ),
      html("td", {}, step.what.state.to),
      html("td", {}, cause),
    ),
  );
  const head = html("tr", {}, ...["", "when", "to", "by"].map((word) => html("th", { scope: "col" }, word)));
  return html(
    "div",
    {},
    html("h2", {}, life.name),
    html("p", { class: "hint" }, `${life.local} → ${life.remote}`),
    html("table", { class: "list" }, html("thead", {}, head), html("tbody", {}, ...rows)),
    html("p", { class: "hint" }, "Dashed: a way that the figure does not have, such as an abort or a RST."),
  );
}

function setUpStates() {
  drawWhenShown("states", drawStates, "tick", "connection");
}
