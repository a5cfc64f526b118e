// Zoom, pan, pointer and keys of the ladder.

/** Zooms so that what is at this height of the screen stays there. */
function zoomLadder(by, at) {
  const scroll = byId("ladder-scroll");
  const length = ladder.places.at(-1) || 1;
  const least = Math.min(1, Math.max(50, scroll.clientHeight - HEAD - 60) / length);
  const most = Math.max(1, Math.min(1e4, TALL_MAX / length));
  const zoom = Math.min(most, Math.max(least, ladder.zoom * by));
  const place = (scroll.scrollTop + at - HEAD - 10) / ladder.zoom;
  ladder.zoom = zoom;
  byId("ladder-tall").style.height = `${ladderLength()}px`;
  scroll.scrollTop = place * zoom + HEAD + 10 - at;
  drawLadder();
}

/** Brings an observation into sight. */
function revealTick(tick) {
  const scroll = byId("ladder-scroll");
  byId("ladder-tall").style.height = `${ladderLength()}px`;
  const at = HEAD + 10 + ladder.places[tick] * ladder.zoom;
  const inSight = at > scroll.scrollTop + HEAD + 20 && at < scroll.scrollTop + scroll.clientHeight - 40;
  if (!inSight) scroll.scrollTop = Math.max(0, at - scroll.clientHeight / 2);
}

/** Shows the ladder at an observation, and chooses that instant. */
function jumpTo(tick) {
  showView("ladder");
  choose("tick", tick);
  revealTick(tick);
  drawLadder();
}

function setUpLadderControls() {
  const scroll = byId("ladder-scroll");
  const middle = () => scroll.clientHeight / 2;
  byId("zoom-in").addEventListener("click", () => zoomLadder(1.5, middle()));
  byId("zoom-out").addEventListener("click", () => zoomLadder(1 / 1.5, middle()));
  byId("zoom-fit").addEventListener("click", () => zoomLadder(0, 0));
  byId("true-time").addEventListener("change", (event) => {
    ladder.places = event.target.checked ? ladder.byTime : ladder.byRows;
    revealTick(chosen.tick);
    drawLadder();
  });
  let waits = false;
  scroll.addEventListener("scroll", () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      drawLadder();
    });
  });
  scroll.addEventListener("keydown", ladderKey);
}

function ladderKey(event) {
  const middle = byId("ladder-scroll").clientHeight / 2;
  const deeds = {
    ArrowDown: () => pickBeside(1),
    ArrowUp: () => pickBeside(-1),
    "+": () => zoomLadder(1.5, middle),
    "-": () => zoomLadder(1 / 1.5, middle),
    0: () => zoomLadder(0, 0),
    Escape: () => choose("datagram", null),
  };
  if (!deeds[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  deeds[event.key]();
}

/** Chooses a datagram and its instant. */
function pick(datagram) {
  choose("datagram", datagram);
  if (datagram) choose("tick", Math.max(run.first, datagram.sent));
}

/** Chooses the datagram before or after the chosen one, in the order of sending. */
function pickBeside(by) {
  const from = chosen.datagram
    ? run.datagrams.indexOf(chosen.datagram) + by
    : run.datagrams.findIndex((its) => its.sent >= chosen.tick);
  const next = run.datagrams[from];
  if (!next) return;
  pick(next);
  revealTick(next.sent);
  drawLadder();
}

function setUpLadderPointer() {
  const scroll = byId("ladder-scroll");
  let pan = null;
  const height = (event) => event.clientY - scroll.getBoundingClientRect().top;
  scroll.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomLadder(Math.exp(-event.deltaY / 300), height(event));
    },
    { passive: false },
  );
  scroll.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.target.closest("svg"))
      pan = { y: event.clientY, top: scroll.scrollTop, moved: false };
  });
  scroll.addEventListener("pointermove", (event) => {
    if (pan && event.buttons) {
      pan.moved ||= Math.abs(event.clientY - pan.y) > 4;
      if (pan.moved) scroll.scrollTop = pan.top + pan.y - event.clientY;
      return;
    }
    hoverLadder(event, nearest(event));
  });
  scroll.addEventListener("pointerup", (event) => {
    if (pan && !pan.moved) pick(nearest(event)?.datagram ?? null);
    pan = null;
  });
  scroll.addEventListener("pointerleave", () => {
    pan = null;
    hideHover();
  });
}

/** The stroke under the pointer. */
function nearest(event) {
  const box = ladder.picture.getBoundingClientRect();
  const [px, py] = [event.clientX - box.left, event.clientY - box.top];
  if (py < HEAD - 8) return null;
  let best = { at: 7, stroke: null };
  for (const { stroke, ends } of ladder.inSight) {
    const at = distance(px, py, ends);
    if (at < best.at) best = { at, stroke };
  }
  return best.stroke;
}

function hoverLadder(event, stroke) {
  if (stroke) showHover(event, stroke.datagram.text, datagramRows(stroke.datagram));
  else hideHover();
}

/** The chosen datagram beside the ladder. */
function showDetails(datagram) {
  const box = byId("details");
  if (!datagram) {
    box.replaceChildren(html("p", { class: "hint" }, "Click a datagram to keep its header here."));
    return;
  }
  box.replaceChildren(html("h2", {}, datagram.text), pairs(datagramRows(datagram)));
}

function ladderLegend() {
  const line = (kind) => svg("path", { class: `stroke ${kind}`, d: "M2 3L26 11" });
  const cross = svg(
    "g",
    {},
    line("g0"),
    svg("path", { class: "tip cross", d: headPath([2, 3, 22, 9], true) }),
  );
  const entries = [
    [line("g0"), "first incarnation of its 4-tuple"],
    [line("g1"), "second"],
    [line("g2"), "third, and so on"],
    [line("g0 copy"), "a copy"],
    [line("g0 old"), "old"],
    [svg("path", { class: "stroke g0 kept", d: "M14 1V13" }), "kept by a router"],
    [cross, "lost or dropped"],
    [svg("circle", { class: "marked", cx: 14, cy: 7, r: 4 }), "marked: congestion"],
    [svg("circle", { class: "dot state", cx: 14, cy: 7, r: 4 }), "a change of state"],
    [svg("circle", { class: "dot timer", cx: 14, cy: 7, r: 3 }), "a timer"],
  ];
  if (run.findings.length)
    entries.push([svg("path", { class: "found-mark", d: "M10 1l10 6l-10 6z" }), "an oracle found something"]);
  if (run.nodes.some((node, place) => crashes(place).length))
    entries.push([svg("path", { class: "off", d: "M14 1V13" }), "the host is off"]);
  if (run.nodes.some((node) => node.role === "attacker")) entries.push([line("foe"), "of an attacker"]);
  if (run.datagrams.some((datagram) => !datagram.tcp)) entries.push([line("icmp"), "ICMP"]);
  byId("ladder-legend").append(...entries.map(([mark, word]) => legendEntry(mark, word)));
}
