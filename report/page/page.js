// The script of the page: it sorts and filters the trades, shows the values of a chart at the pointer, and applies updates from a
// server. It inserts no markup but what the server has escaped.
"use strict";

// ---- Trades: sort and filter ----

const byText = new Intl.Collator("en", { numeric: true });

function sortTrades() {
  const table = document.getElementById("trades-table");
  const head = table && table.querySelector("th[aria-sort]");
  if (!head) return;
  const column = head.cellIndex;
  const direction = head.getAttribute("aria-sort") === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row, place) => {
    const cell = row.cells[column];
    const number = "v" in cell.dataset;
    return { row, place, number, key: number ? (cell.dataset.v === "" ? null : Number(cell.dataset.v)) : cell.textContent };
  });
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place; // unknown values last
    return direction * (a.number ? a.key - b.key : byText.compare(a.key, b.key)) || a.place - b.place;
  });
  if (keyed.some((k, i) => k.place !== i)) body.append(...keyed.map((k) => k.row));
}

function filterTrades() {
  const table = document.getElementById("trades-table");
  if (!table) return;
  const words = document.getElementById("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  const account = document.getElementById("filter-account").value;
  const side = document.getElementById("filter-side").value;
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = (account && row.dataset.account !== account) || (side && row.dataset.side !== side) || !words.every((w) => text.includes(w));
    if (!row.hidden) shown++;
  }
  const count = document.getElementById("filter-count");
  const said = shown === table.tBodies[0].rows.length ? "" : `${shown} of ${table.tBodies[0].rows.length} shown`;
  if (count.textContent !== said) count.textContent = said;
}

document.addEventListener("click", (event) => {
  const head = event.target.closest("#trades-table th");
  if (!head || !event.target.closest("button")) return;
  const next = head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
  for (const th of head.parentNode.cells) th.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", next);
  sortTrades();
});
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => event.target.closest("#filter") && filterTrades());
}
document.addEventListener("submit", (event) => event.preventDefault());

// ---- Charts: lines on and off, and their values at the pointer ----

document.addEventListener("click", (event) => {
  const button = event.target.closest(".legend button");
  if (!button) return;
  button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
  showLines(button.closest("figure"));
});

// showLines hides the lines of a chart that its legend has turned off. A line and its entry in the legend have the same key.
function showLines(figure) {
  const off = new Set([...figure.querySelectorAll(".legend li")].filter((li) => li.querySelector("[aria-pressed=false]")).map((li) => li.dataset.key));
  for (const line of figure.querySelectorAll(".drawing [data-key]")) line.classList.toggle("off", off.has(line.dataset.key));
}

const shownRows = new WeakMap(); // the index of the table row whose values each plot shows

// dateScale returns where the dates of a plot stand, in pixels from its left edge; null if the plot is not visible.
function dateScale(plot) {
  const svg = [...plot.querySelectorAll(".drawing svg")].find((s) => s.getBoundingClientRect().width > 0);
  if (!svg) return null;
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const first = Number(svg.dataset.first) * scale;
  const last = Number(svg.dataset.last) * scale;
  const dates = Number(plot.closest("figure").dataset.dates);
  return { at: (i) => (dates > 1 ? first + ((last - first) * i) / (dates - 1) : first) };
}

const rowsOf = (plot) => [...plot.closest("figure").querySelectorAll("tbody tr")];

function showReading(plot, index, announce) {
  const rows = rowsOf(plot);
  const scale = dateScale(plot);
  if (!rows.length || !scale) return;
  index = Math.max(0, Math.min(rows.length - 1, index));
  shownRows.set(plot, index);
  const row = rows[index];
  const figure = plot.closest("figure");
  const swatches = new Map([...figure.querySelectorAll(".legend li")].map((li) => [li.dataset.key, li.querySelector(".swatch")]));
  const tip = plot.querySelector(".tip");
  const date = document.createElement("b");
  date.textContent = row.cells[0].textContent;
  tip.replaceChildren(date);
  for (const head of [...figure.querySelectorAll("thead th")].slice(1)) {
    const value = row.cells[head.cellIndex].textContent;
    if (!value) continue;
    const line = document.createElement("div");
    const label = document.createElement("span");
    if (swatches.has(head.dataset.key)) label.append(swatches.get(head.dataset.key).cloneNode(true));
    label.append(head.textContent);
    const text = document.createElement("span");
    text.textContent = value;
    line.append(label, text);
    tip.append(line);
  }
  const x = scale.at(Number(row.dataset.at));
  const cross = plot.querySelector(".cross");
  cross.hidden = tip.hidden = false;
  cross.style.left = x + "px";
  const room = plot.clientWidth - x - 14;
  tip.style.left = (room > tip.offsetWidth ? x + 12 : Math.max(0, x - tip.offsetWidth - 12)) + "px";
  if (announce) figure.querySelector(".reading").textContent = tip.innerText.replace(/\s*\n+\s*/g, ", ");
}

function hideReading(plot) {
  shownRows.delete(plot);
  plot.querySelector(".cross").hidden = plot.querySelector(".tip").hidden = true;
}

document.addEventListener("pointermove", (event) => {
  const plot = event.target.closest && event.target.closest(".plot");
  const scale = plot && dateScale(plot);
  if (!scale) return;
  const x = event.clientX - plot.getBoundingClientRect().left;
  let nearest = 0;
  let distance = Infinity;
  rowsOf(plot).forEach((row, i) => {
    const d = Math.abs(scale.at(Number(row.dataset.at)) - x);
    if (d < distance) [nearest, distance] = [i, d];
  });
  showReading(plot, nearest, false);
});
document.addEventListener("pointerout", (event) => {
  const plot = event.target.closest && event.target.closest(".plot");
  if (plot && !plot.contains(event.relatedTarget) && plot !== document.activeElement) hideReading(plot);
});
document.addEventListener("keydown", (event) => {
  const plot = document.activeElement;
  if (!plot || !plot.matches(".plot")) return;
  const last = rowsOf(plot).length - 1;
  const now = shownRows.has(plot) ? shownRows.get(plot) : last + 1;
  const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last, PageUp: now - 10, PageDown: now + 10 }[event.key];
  if (event.key === "Escape") hideReading(plot);
  if (to === undefined || last < 0) return;
  event.preventDefault();
  showReading(plot, to, true);
});
document.addEventListener("focusout", (event) => event.target.matches(".plot") && hideReading(event.target));

// ---- Updates: changed nodes replace old ones, so that what the reader did to the page stays ----

const readerAttributes = new Set(["open", "aria-sort", "aria-pressed", "hidden", "style"]); // attributes that the reader changes by using the page

function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== Node.ELEMENT_NODE || from.localName === "svg") {
    from.replaceWith(to);
    return;
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !readerAttributes.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && !readerAttributes.has(name)) from.setAttribute(name, value);
  }
  if (from.matches(".tip, .cross, .reading, #filter-count")) return;
  const chosen = from.localName === "select" ? from.value : null;
  morphChildren(from, to);
  if (chosen !== null) from.value = chosen;
}

const keyOf = (node) => node.id || (node.dataset && node.dataset.key) || "";

function morphChildren(from, to) {
  const keyed = new Map();
  for (const child of from.children) if (keyOf(child)) keyed.set(keyOf(child), child);
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const key = keyOf(next);
    while (at && !key && keyOf(at)) at = at.nextSibling;
    let match = key ? keyed.get(key) : at;
    if (match && match.nodeName !== next.nodeName) match = null;
    if (!match) {
      if (next.localName === "tr" && key.startsWith("t-")) next.className = "new";
      from.insertBefore(next, at);
      continue;
    }
    keyed.delete(key);
    if (match === at) at = at.nextSibling;
    else from.insertBefore(match, at);
    morph(match, next);
  }
  // Remove what was not matched: keyed nodes that are gone, and everything after the last match.
  for (const gone of keyed.values()) {
    if (gone === at) at = at.nextSibling;
    gone.remove();
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function update({ title, order, sections }) {
  const main = document.getElementById("main");
  for (const [id, html] of Object.entries(sections)) {
    const holder = document.createElement("template");
    holder.innerHTML = html; // the server has escaped all text in it
    const fresh = holder.content.firstElementChild;
    const old = document.getElementById(id);
    if (old) morph(old, fresh);
    else main.append(fresh);
  }
  for (const section of [...main.children]) if (!order.includes(section.id)) section.remove();
  order.forEach((id, i) => {
    if (main.children[i].id !== id) main.insertBefore(document.getElementById(id), main.children[i]);
  });
  document.title = title;
  sortTrades();
  filterTrades();
  document.querySelectorAll("figure.chart").forEach(showLines);
  for (const plot of document.querySelectorAll(".plot")) if (shownRows.has(plot)) showReading(plot, shownRows.get(plot), false);
}

function follow() {
  const { events, version } = document.body.dataset;
  if (!events) return;
  const live = document.getElementById("live");
  const setStatus = (text, lost) => {
    live.textContent = text;
    live.classList.toggle("lost", lost);
  };
  const source = new EventSource(`${events}?version=${version}`);
  source.onopen = () => setStatus("Live", false);
  source.onerror = () => setStatus("No connection, trying again", true);
  source.addEventListener("change", (event) => {
    update(JSON.parse(event.data));
    setStatus("Live", false);
  });
  source.addEventListener("trouble", (event) => setStatus(JSON.parse(event.data), true));
}

filterTrades();
follow();
