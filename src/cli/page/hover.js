// The box beside the pointer.

const hover = byId("hover");

function showHover(event, title, rows) {
  hover.replaceChildren(html("strong", {}, title), pairs(rows));
  hover.hidden = false;
  const margin = 16;
  const place = (at, size, room) =>
    at + margin + size < room ? at + margin : Math.max(4, at - margin - size);
  hover.style.left = `${place(event.clientX, hover.offsetWidth, innerWidth)}px`;
  hover.style.top = `${place(event.clientY, hover.offsetHeight, innerHeight)}px`;
}

function hideHover() {
  hover.hidden = true;
}
