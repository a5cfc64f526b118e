// One view at a time; the arrow keys go from tab to tab, as the ARIA practices have it.

const shown = { view: null, onShow: {} };

function showView(name) {
  shown.view = name;
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const own = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", own);
    tab.tabIndex = own ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !own;
  }
  shown.onShow[name]?.();
}

/** Draws a view when it is shown, and again when what it shows has changed while it is shown. */
function drawWhenShown(name, draw, ...whats) {
  shown.onShow[name] = draw;
  for (const what of whats) follow(what, () => shown.view === name && draw());
  window.addEventListener("resize", () => shown.view === name && draw());
}

function setUpTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => showView(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = tabs[(place + by + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  }
}
