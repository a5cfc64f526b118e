// What the reader has chosen: an instant, a connection, a datagram. The views follow.

const chosen = { tick: 0, connection: null, datagram: null };
const followers = { tick: [], connection: [], datagram: [] };

/** Calls `then` now and whenever the choice changes. */
function follow(what, then) {
  followers[what].push(then);
  then(chosen[what]);
}

function choose(what, value) {
  chosen[what] = value;
  for (const then of followers[what]) then(value);
}

/** The slider, its two buttons, and the list of connections. */
function setUpBar() {
  const [slider, moment, list] = [byId("instant"), byId("moment"), byId("connection")];
  const last = Math.max(0, run.ticks.length - 1);
  const first = Math.min(run.first, last);
  [slider.min, slider.max] = [first, last];
  choose("tick", first);
  slider.addEventListener("input", () => choose("tick", Number(slider.value)));
  const step = (by) => choose("tick", Math.min(last, Math.max(first, chosen.tick + by)));
  byId("earlier").addEventListener("click", () => step(-1));
  byId("later").addEventListener("click", () => step(1));
  follow("tick", (tick) => {
    slider.value = tick;
    moment.value = run.ticks.length ? `${seconds(timeOf(tick))} s` : "nothing happened";
    slider.setAttribute("aria-valuetext", moment.value);
  });

  for (const life of connections) {
    const words = `${life.name}  ${life.local} → ${life.remote}`;
    list.append(html("option", { value: lives.indexOf(life) }, words));
  }
  list.disabled = connections.length === 0;
  list.addEventListener("change", () => choose("connection", lives[Number(list.value)]));
  const busiest = connections.reduce(
    (best, life) => (!best || life.sent.length > best.sent.length ? life : best),
    null,
  );
  if (busiest) list.value = lives.indexOf(busiest);
  choose("connection", busiest);
}
