// Numbers and times for readers.

/** 12345678 ns as "0.012345": seconds, the rest cut off. */
function seconds(ns) {
  const micros = Math.floor(ns / 1000);
  return `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
}

/** A duration in the largest unit that leaves a whole part. */
function span(ns) {
  for (const [unit, name] of [
    [1e9, "s"],
    [1e6, "ms"],
    [1e3, "µs"],
  ]) {
    if (ns >= unit) return `${Number((ns / unit).toFixed(3))} ${name}`;
  }
  return `${ns} ns`;
}

/** 1234567 as "1,234,567". */
const grouped = (number) => number.toLocaleString("en");

/** "1 datagram", "2 datagrams". */
const counted = (number, thing) => `${grouped(number)} ${thing}${number === 1 ? "" : "s"}`;
