// A chart on the page: its drawing, its values at the pointer or by key, and its values as a table.

const figures = new Map(); // by id: {chart, view, node, redraw}
const valueText = ({ chart, view }, v) => (differs(chart, view) ? signedPoints : { return: signedPercent, price, ratio: (x) => fixed(x, 2), stack: (x) => percent(x, 1) }[chart.kind] || percent)(v);
const maxTold = 24; // lines that the tip tells of
const maxRows = 250; // days that the table has

// figure makes the figure of a chart. What it shows is the view's: {shows(key), from, to, log, excess}.
function figure(chart, view, legend) {
  const name = chart.of ? `${chart.title} of ${chart.of}` : chart.title;
  // As an application, a screen reader leaves the arrow keys to it.
  const plot = make("div", { class: "plot", tabindex: "0", role: "application", "aria-roledescription": "chart", "aria-describedby": `${chart.id}-text ${chart.id}-ends`,
    "aria-label": `${name}. The arrow keys go from date to date; the same figures are in the table below.` });
  const tip = make("div", { class: "tip", hidden: true });
  const cross = make("i", { class: "cross", hidden: true });
  const values = make("details", { id: `${chart.id}-table` }, make("summary", {}, chart.table), make("div"));
  const node = make("figure", { id: chart.id, class: `chart ${chart.small ? "small " : ""}${chart.kind}`, "aria-labelledby": `${chart.id}-title` },
    make("figcaption", {}, make(chart.of ? "h4" : "h3", { id: `${chart.id}-title` }, chart.title), make("p", { id: `${chart.id}-text`, class: "soft" }, chart.text)),
    legend, plot, make("p", { id: `${chart.id}-ends`, class: "hidden ends" }), make("p", { class: "hidden reading", "aria-live": "polite" }), values);
  const f = { chart, view, node, plot, tip, cross, told: null };
  f.redraw = () => redraw(f);
  values.addEventListener("toggle", () => fillTable(f));
  plot.append(make("div", { class: "drawing" }), cross, tip);
  figures.set(chart.id, f);
  sizes.observe(plot);
  return node;
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const f = figures.get(target.closest("figure").id);
    if (f && target.clientWidth && target.clientWidth !== f.width) f.redraw();
  }
});

function redraw(f) {
  f.width = f.plot.clientWidth || 600;
  const height = f.chart.small ? 200 : Math.round(Math.min(400, Math.max(260, f.width * 0.6)) * (f.chart.kind === "underwater" ? 2 / 3 : 1));
  f.drawn = drawing(f.chart, f.view, f.width, height);
  f.plot.querySelector(".drawing").replaceChildren(f.drawn.svg);
  f.valueAt = new Map(f.drawn.shown.lines.map((line) => [line.key, new Map(line.at.map((day, i) => [day, line.values[i]]))]));
  if (f.told !== null && f.drawn.scales.places.has(f.told)) showReading(f, f.told);
  else hideReading(f);
  const { days } = f.drawn.shown;
  const end = days[days.length - 1];
  f.node.querySelector(".ends").textContent = days.length ? `From ${f.chart.days[days[0]]} to ${f.chart.days[end]}; on that day ${wordsOf(tellings(f, end))}` : "";
  fillTable(f);
}

// wordsOf are the words of elements, a phrase each.
const wordsOf = (elements) => elements.map((e) => [...e.childNodes].map((node) => node.textContent).join(" ")).join(", ");

// tellings are what a chart tells of a day: each line with its value, the highest first.
function tellings(f, day) {
  const note = f.chart.notes && f.chart.notes[day];
  const all = f.drawn.shown.lines.filter((line) => !line.marked && f.valueAt.get(line.key).has(day)).map((line) => ({ line, value: f.valueAt.get(line.key).get(day) }));
  if (f.chart.kind !== "stack") all.sort((a, b) => compared(Number.isNaN(a.value) ? null : a.value, Number.isNaN(b.value) ? null : b.value, true));
  const told = all.slice(0, maxTold).map(({ line, value }) => make("div", { "data-key": line.key }, make("span", {}, swatch(line), line.name), make("span", {}, valueText(f, value))));
  if (all.length > maxTold) told.push(make("div", {}, `and ${all.length - maxTold} more, in the table`));
  if (note) told.push(make("div", {}, note));
  return told;
}

function showReading(f, day, announce) {
  if (day === undefined) return;
  f.told = day;
  f.tip.replaceChildren(make("b", {}, f.chart.days[day]), ...tellings(f, day));
  f.cross.hidden = f.tip.hidden = false;
  const x = f.drawn.scales.x(day);
  f.cross.style.left = x + "px";
  const room = f.plot.clientWidth - x - 14;
  f.tip.style.left = (room > f.tip.offsetWidth ? x + 12 : Math.max(0, x - f.tip.offsetWidth - 12)) + "px";
  if (announce) f.node.querySelector(".reading").textContent = f.tip.innerText.replace(/\s*\n+\s*/g, ", ");
}

function hideReading(f) {
  f.told = null;
  f.cross.hidden = f.tip.hidden = true;
}

// csvOf is what a chart shows, as it is now.
function csvOf(f) {
  const { days, lines } = f.drawn.shown;
  const columns = lines.filter((line) => !line.marked);
  return csv([["date", ...columns.map((line) => line.name)], ...days.map((day) => [f.chart.days[day], ...columns.map((line) => {
    const v = f.valueAt.get(line.key).get(day);
    return v === undefined || Number.isNaN(v) ? "" : v;
  })])]);
}

function fillTable(f) {
  const details = f.node.querySelector("details");
  if (!details.open || !f.drawn) return;
  const { days, lines } = f.drawn.shown;
  const notes = f.chart.notes;
  const told = notes ? days.filter((day) => notes[day]) : days;
  const newest = told.slice(-maxRows);
  const columns = lines.filter((line) => !line.marked);
  const head = [make("th", { scope: "col" }, "Date"), ...columns.map((line) => make("th", { scope: "col", class: "num", "data-key": line.key }, line.name)), notes && make("th", { scope: "col" }, "Trades")];
  const text = (line, day) => (f.valueAt.get(line.key).has(day) ? valueText(f, f.valueAt.get(line.key).get(day)) : "");
  const rows = newest.map((day) => make("tr", { "data-key": f.chart.days[day] }, make("th", { scope: "row" }, f.chart.days[day]), columns.map((line) => make("td", { class: "num" }, text(line, day))), notes && make("td", {}, notes[day])));
  refill(details.lastElementChild,
    make("p", { class: "soft" }, newest.length < told.length && `The newest ${newest.length} of ${plural(told.length, "day")}. `,
      make("button", { type: "button", class: "plain", onclick: () => download(`${f.chart.id}.csv`, "text/csv", csvOf(f)) }, "Download as CSV")),
    table(f.chart.of && !f.chart.table.includes(f.chart.of) ? `${f.chart.table}, ${f.chart.of}` : f.chart.table, "scroll tall", head, rows));
}

// ---- The reader's hand: pointer, finger, keys ----

const figureAt = (target) => {
  const plot = target && target.closest && target.closest(".plot");
  return plot && figures.get(plot.closest("figure").id);
};

function dayAt(f, event) {
  const { from, to, last } = f.drawn.scales;
  const at = last > 0 ? Math.round(((event.clientX - f.plot.getBoundingClientRect().left - from) / (to - from)) * last) : 0;
  return f.drawn.shown.days[Math.max(0, Math.min(last, at))];
}

let dragged = null; // where a mouse went down to choose a range

for (const kind of ["pointermove", "pointerdown"]) {
  document.addEventListener(kind, (event) => {
    const f = figureAt(event.target);
    if (!f || !f.drawn) return;
    const day = dayAt(f, event);
    if (kind === "pointerdown" && event.pointerType === "mouse" && f.view.choose) dragged = { f, day };
    showReading(f, day, kind === "pointerdown");
  });
}
document.addEventListener("pointerup", (event) => {
  const f = figureAt(event.target);
  if (dragged && f === dragged.f && Math.abs(f.drawn.scales.places.get(dayAt(f, event)) - f.drawn.scales.places.get(dragged.day)) > 1) {
    const [from, to] = [dragged.day, dayAt(f, event)].sort((a, b) => a - b).map((day) => f.chart.days[day]);
    f.view.choose(from, to);
  }
  dragged = null;
});
document.addEventListener("pointerout", (event) => {
  const f = figureAt(event.target);
  if (f && event.pointerType !== "touch" && !f.plot.contains(event.relatedTarget) && f.plot !== document.activeElement) hideReading(f);
});
document.addEventListener("keydown", (event) => {
  const f = document.activeElement && document.activeElement.matches(".plot") && figureAt(document.activeElement);
  if (!f || !f.drawn) return;
  const last = f.drawn.scales.last;
  const now = f.told === null ? last + 1 : f.drawn.scales.places.get(f.told);
  const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last, PageUp: now - 10, PageDown: now + 10 }[event.key];
  if (event.key === "Escape") hideReading(f);
  if (to === undefined || last < 0) return;
  event.preventDefault();
  showReading(f, f.drawn.shown.days[Math.max(0, Math.min(last, to))], true);
});
document.addEventListener("focusout", (event) => {
  const f = event.target.matches(".plot") && figureAt(event.target);
  if (f) hideReading(f);
});
