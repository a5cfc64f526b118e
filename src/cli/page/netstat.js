// Every connection and listener of all hosts at the chosen instant.

const NETSTAT_COLUMNS = [
  "",
  "Local address",
  "Foreign address",
  "State",
  "Recv-Q",
  "Send-Q",
  "SND.UNA",
  "SND.NXT",
  "SND.WND",
  "RCV.NXT",
  "RCV.WND",
  "cwnd",
  "ssthresh",
  "SRTT",
  "RTO",
  "Congestion",
];
/** So many rows are as much as anybody reads. */
const NETSTAT_MAX = 400;

function netstatCells(life, state, vars) {
  const start = [life.name, life.local, life.remote ?? "*", state];
  if (!vars || state === "LISTEN") return [...start, ...Array(NETSTAT_COLUMNS.length - 4).fill("")];
  const [sent, came] = [
    (number) => grouped(relative(number, life.iss)),
    (number) => grouped(relative(number, life.irs)),
  ];
  const heard = !["LISTEN", "SYN-SENT"].includes(state);
  const threshold = vars.ssthresh >= 2 ** 30 ? "∞" : grouped(vars.ssthresh);
  return [
    ...start,
    grouped(vars.unread),
    grouped(vars.unacknowledged),
    sent(vars.snd_una),
    sent(vars.snd_nxt),
    grouped(vars.snd_wnd),
    heard ? came(vars.rcv_nxt) : "",
    grouped(vars.rcv_wnd),
    grouped(vars.cwnd),
    threshold,
    vars.srtt_us === null ? "" : span(vars.srtt_us * 1000),
    span(vars.rto_us * 1000),
    vars.congestion,
  ];
}

function drawNetstat() {
  const rows = [];
  for (const life of lives) {
    const state = stateAt(life, chosen.tick);
    if (!state || !life.local) continue;
    rows.push(netstatCells(life, state, lastUpTo(life.shown, chosen.tick)));
  }
  const head = html("tr", {}, ...NETSTAT_COLUMNS.map((name) => html("th", { scope: "col" }, name)));
  const body = rows
    .slice(0, NETSTAT_MAX)
    .map((cells) =>
      html(
        "tr",
        { class: cells[3] },
        ...cells.map((cell, place) => html(place ? "td" : "th", place > 3 ? { class: "number" } : {}, cell)),
      ),
    );
  const more = rows.length - body.length;
  if (more > 0)
    body.push(html("tr", {}, html("td", { colspan: NETSTAT_COLUMNS.length }, `and ${grouped(more)} more`)));
  if (!rows.length)
    body.push(
      html(
        "tr",
        {},
        html("td", { colspan: NETSTAT_COLUMNS.length }, "No host has a socket at this instant."),
      ),
    );
  byId("netstat-table").replaceChildren(html("thead", {}, head), html("tbody", {}, ...body));
}

function setUpNetstat() {
  drawWhenShown("netstat", drawNetstat, "tick");
}
