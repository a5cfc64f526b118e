// What the oracles found, each with a way to its instant, and what they counted.

function findingItem(finding) {
  const { oracle, kind, assumption, at_ns: at, message } = finding;
  const name = assumption ? `hazard (${assumption})` : kind;
  const moment = `${seconds(at)} s`;
  const jump = isInside(at)
    ? html("button", { type: "button", class: "jump", onclick: () => jumpTo(tickAt(at)) }, moment)
    : html("span", {}, moment);
  return html(
    "li",
    { class: kind },
    html("h3", {}, `${name} of ${oracle} at `, jump),
    html("p", {}, message),
  );
}

function countTable(title, counts) {
  if (!counts.length) return html("div");
  const rows = counts.map(([name, count]) =>
    html("tr", {}, html("td", {}, name), html("td", { class: "number" }, grouped(count))),
  );
  return html("div", {}, html("h2", {}, title), html("table", { class: "list" }, html("tbody", {}, ...rows)));
}

function setUpFindings() {
  const order = ["violation", "hazard", "unknown"];
  const found = [...run.findings].sort(
    (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || a.at_ns - b.at_ns,
  );
  const list = found.length
    ? html("ol", { class: "found" }, ...found.map(findingItem))
    : html("p", {}, "No oracle found anything to say.");
  byId("findings-list").append(
    list,
    countTable("Hazards of the whole run", run.hazards),
    countTable("Noted in the whole run", run.notes),
  );
  const violations = run.findings.filter((finding) => finding.kind === "violation").length;
  if (violations) byId("tab-findings").append(html("span", { class: "count" }, String(violations)));
}
