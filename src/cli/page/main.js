// Brings everything up.

function setUpTitle() {
  byId("title").textContent = document.title.split(" · ")[0];
  const whole = run.datagrams.length === run.datagrams_all;
  const part = whole
    ? ""
    : ` of ${grouped(run.datagrams_all)}, from ${seconds(run.from_ns)} s to ${seconds(run.until_ns)} s`;
  const found = run.findings.filter((finding) => finding.kind === "violation").length;
  const verdict = found ? `${counted(found, "violation")}` : "no violation";
  byId("about").textContent =
    `${counted(run.datagrams.length, "datagram")}${part} · ${span(run.simulated_ns)} simulated · ${verdict}`;
  byId("about").classList.toggle("bad", found > 0);
  byId("replay").textContent = run.replay ?? "";
}

setUpTitle();
setUpBar();
setUpTabs();
setUpLadder();
setUpStates();
setUpSequence();
setUpFaults();
setUpNetstat();
setUpFindings();
setUpPrint();
showView("ladder");
const firstBad = run.findings.find((finding) => finding.kind === "violation" && isInside(finding.at_ns));
if (firstBad) jumpTo(tickAt(firstBad.at_ns));
