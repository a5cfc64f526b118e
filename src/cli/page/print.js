// On paper there are no tabs: all views stand one after the other, and the ladder is whole if it is
// not longer than some pages.

const PAPER_MAX = 12000;

function setUpPrint() {
  const scroll = byId("ladder-scroll");
  addEventListener("beforeprint", () => {
    document.body.classList.add("paper");
    for (const name of Object.keys(shown.onShow)) byId(name).hidden = false;
    byId("findings").hidden = false;
    const whole = ladderLength();
    scroll.style.height = `${Math.min(PAPER_MAX, whole)}px`;
    scroll.scrollTop = whole > PAPER_MAX ? scroll.scrollTop : 0;
    for (const draw of Object.values(shown.onShow)) draw();
  });
  addEventListener("afterprint", () => {
    document.body.classList.remove("paper");
    scroll.style.height = "";
    showView(shown.view);
  });
}
