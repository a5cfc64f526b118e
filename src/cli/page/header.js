// A datagram in full: every field of its headers, its age and its fate.

const ecnWords = ["not ECN-capable", "ECT(1)", "ECT(0)", "CE: congestion experienced"];

function tcpRows(tcp) {
  const number = (absolute, counted) => (counted === null ? String(absolute) : `${counted}  (${absolute})`);
  const rows = [
    ["Ports", `${tcp.source_port} → ${tcp.destination_port}`],
    ["SEQ", number(tcp.seq, tcp.seq_relative)],
  ];
  if (tcp.ack !== null) rows.push(["ACK", number(tcp.ack, tcp.ack_relative)]);
  rows.push(["Flags", tcp.flags], ["Window", `${grouped(tcp.window_octets)}  (field ${tcp.window})`]);
  if (tcp.urgent !== null) rows.push(["Urgent", tcp.urgent]);
  rows.push(["Text", counted(tcp.text_octets, "octet")]);
  const options = optionWords(tcp);
  if (options.length) rows.push(["Options", options.join(", ")]);
  return rows;
}

function optionWords(tcp) {
  const words = [];
  if (tcp.mss !== null) words.push(`MSS ${tcp.mss}`);
  if (tcp.window_scale !== null) words.push(`window scale ${tcp.window_scale}`);
  if (tcp.sack_permitted) words.push("SACK permitted");
  if (tcp.timestamps) words.push(`TSval ${tcp.timestamps[0]}, TSecr ${tcp.timestamps[1]}`);
  const from = tcp.ack_relative === null ? null : (tcp.ack - tcp.ack_relative) >>> 0;
  const edge = (number) => relative(number, from);
  if (tcp.sack.length)
    words.push(`SACK ${tcp.sack.map(([left, right]) => `${edge(left)}–${edge(right)}`).join(" ")}`);
  if (tcp.user_timeout_s !== null) words.push(`user timeout ${tcp.user_timeout_s} s`);
  return words;
}

function ipRows(ip) {
  return [
    ["From, to", `${ip.src} → ${ip.dst}`],
    ["IP", `${grouped(ip.octets)} octets, protocol ${ip.protocol}, hop limit ${ip.hop_limit}`],
    ["", `${ecnWords[ip.ecn]}, Diffserv ${ip.diffserv}${ip.dont_fragment ? ", don't fragment" : ""}`],
  ];
}

/** What became of each part of its way, one line each. */
function fateLines(datagram) {
  const born = timeOf(datagram.sent);
  return datagram.legs.map((leg) => {
    const words = [leg.copy ? "copy" : null, `${seconds(timeOf(leg.left))} s`];
    words.push(
      leg.kept ? `kept by ${nodeName(leg.from)} ${leg.kept}` : `${nodeName(leg.from)} → ${nodeName(leg.to)}`,
    );
    if (leg.extra_ns) words.push(`${span(leg.extra_ns)} late`);
    if (leg.damaged) words.push("damaged");
    if (leg.marked) words.push("marked");
    if (leg.came !== null) {
      const age = span(timeOf(leg.came) - born);
      if (leg.delivered) words.push(`delivered at ${seconds(timeOf(leg.came))} s, ${age} old`);
      else if (leg.kept) words.push(`released at ${seconds(timeOf(leg.came))} s, ${age} old`);
    } else if (!leg.lost) words.push("under way at the end");
    if (leg.lost) words.push(leg.lost === "lost" ? "lost" : `dropped: ${leg.lost}`);
    if (leg.old) words.push("of an old incarnation");
    if (leg.judged_by !== null) words.push(`to ${nameOf(leg.judged_by)}`);
    if (leg.verdict) words.push(leg.verdict);
    return words.filter(Boolean).join(", ");
  });
}

function datagramRows(datagram) {
  const by = datagram.echo ? `in reply to ${nameOf(datagram.of)}` : nameOf(datagram.of);
  const marks = [datagram.old && "old", datagram.again && "sent again"].filter(Boolean);
  return [
    [
      "Datagram",
      `${datagram.ordinal} of ${nodeName(datagram.origin)}, ${by}${marks.length ? `, ${marks.join(", ")}` : ""}`,
    ],
    ["Born", `${seconds(timeOf(datagram.sent))} s`],
    ...ipRows(datagram.ip),
    ...(datagram.tcp ? tcpRows(datagram.tcp) : []),
    ...fateLines(datagram).map((line, place) => [place ? "" : "Fate", line]),
  ];
}
