// Elements of HTML and SVG, made in one line each. Text is never read as markup.

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const html = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

const byId = (id) => document.getElementById(id);

/** A list of pairs as a table of two columns. */
const pairs = (rows) =>
  html(
    "table",
    { class: "pairs" },
    ...rows.map(([name, value]) =>
      html("tr", {}, html("th", { scope: "row" }, name), html("td", {}, String(value))),
    ),
  );

/** An entry of a legend: a mark that is drawn like the thing, and a word. */
const legendEntry = (mark, word) =>
  html("li", {}, svg("svg", { width: 30, height: 14, "aria-hidden": "true" }, mark), word);
