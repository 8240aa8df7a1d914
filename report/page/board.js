// The overview: the leaderboard, and the curves of all accounts with what the reader chose to see of them.

let overview; // the newest
const few = 10; // curves that are shown of many accounts, unless the reader chooses others
const board = { by: "rank", down: false };
// chosen is what the curves show: the keys that are turned on, null for the first few; from and to are days, "" for no bound.
const chosen = {
  keys: null, from: "", to: "", log: false, excess: false,
  shows: (key) => (chosen.keys || topKeys(few)).has(key),
  choose: (from, to) => change({ from, to }),
};

const keyOf = (row) => `account ${row.name}`;
const topKeys = (n) => new Set(["benchmark", ...overview.rows.slice(0, n).map(keyOf)]);
const curves = () => ["equity", "drawdown"].map((id) => figures.get(id)).filter(Boolean);

// change changes what the curves show.
function change(changes) {
  Object.assign(chosen, changes);
  showControls();
  for (const f of curves()) f.redraw();
  saveState();
  const { days, rows, benchmark } = overview;
  const shown = rows.filter((row) => chosen.shows(keyOf(row))).length + Boolean(benchmark && !chosen.excess && chosen.shows("benchmark"));
  say(`${plural(shown, "curve")} from ${chosen.from || days[0]} to ${chosen.to || days[days.length - 1]}${chosen.log ? ", logarithmic" : ""}${chosen.excess ? ", over the benchmark" : ""}`);
}

function showBoard() {
  const names = ["#", "Account", ...overview.columns, ...(overview.verified ? ["Ledger"] : [])];
  const value = (row, by) => (by === "rank" ? overview.rows.indexOf(row) : by === "Account" ? row.name : by === "Ledger" ? row.ledger : row.cells[overview.columns.indexOf(by)].v);
  const sort = (order) => {
    Object.assign(board, order);
    showBoard();
  };
  const head = names.map((name, i) => sortHead(name, i ? name : "rank", board, sort, i !== 1 && name !== "Ledger"));
  const small = (text) => text && make("small", {}, text);
  const cell = (c) => make("td", { class: `num ${c.class || ""}` }, c.text, small(c.small));
  const rows = [...overview.rows].sort((a, b) => compared(value(a, board.by), value(b, board.by), board.down)).map((row) => make("tr", { id: `rank-${row.id}` },
    make("td", { class: "num soft" }, row.rank), make("th", { scope: "row" }, make("a", { href: `#${row.id}` }, swatch(row), row.name), small(row.mark)),
    row.cells.map(cell), overview.verified && make("td", { class: "ledger" }, row.ledger)));
  const b = overview.benchmark;
  if (b) rows.push(make("tr", { class: "bench" }, make("td"), make("th", { scope: "row" }, swatch(b), b.name + " ", make("span", { class: "soft" }, "benchmark")), b.cells.map(cell), overview.verified && make("td")));
  refill(document.getElementById("board"), make("h1", {}, overview.title), make("p", { class: "lead" }, overview.lead),
    rows.length > 0 && [table("Leaderboard", "scroll", head, rows, "board-table"), make("p", { class: "soft" }, overview.note)],
    overview.warnings && make("ul", { class: "warnings", "aria-label": "What is unknown or doubtful" }, overview.warnings.map((text) => make("li", {}, text))));
}

// toggle turns a curve on or off.
function toggle(key) {
  const keys = new Set(chosen.keys || topKeys(few));
  if (!keys.delete(key)) keys.add(key);
  change({ keys });
}

// monthsBack is the day that is so many months before the last one, "" for no months.
function monthsBack(months) {
  if (!months || !overview.days.length) return "";
  const d = new Date(`${overview.days[overview.days.length - 1]}T00:00:00Z`);
  d.setUTCMonth(d.getUTCMonth() - months);
  return d.toISOString().slice(0, 10);
}

function showControls() {
  const button = (name, pressed, act) => make("button", { type: "button", class: "plain", "data-key": name, "aria-pressed": pressed, onclick: act }, name);
  const days = overview.days;
  const last = days[days.length - 1] || "";
  const ranges = [["All", 0], ["1 year", 12], ["6 months", 6], ["3 months", 3], ["1 month", 1]].filter(([, months]) => !months || monthsBack(months) > days[0]);
  const day = (name, key) => make("label", {}, name + " ", make("input", { type: "date", value: chosen[key], min: days[0], max: last, onchange: (event) => change({ [key]: event.target.value }) }));
  const many = overview.rows.length > few;
  const entry = (key, name, look) => make("li", { "data-key": key },
    make("button", { type: "button", "aria-pressed": String(chosen.shows(key)), onclick: () => toggle(key) }, swatch(look), name),
    make("button", { type: "button", class: "only", "aria-label": `Only ${name}`, onclick: () => change({ keys: new Set(["benchmark", key]) }) }, "only"));
  const b = overview.benchmark;
  refill(document.getElementById("controls"),
    make("p", { class: "choices", role: "group", "aria-labelledby": "range-label" }, make("span", { id: "range-label" }, "Range"), ranges.map(([name, months]) => button(name, String(chosen.from === monthsBack(months) && !chosen.to), () => change({ from: monthsBack(months), to: "" }))), day("from", "from"), day("to", "to")),
    make("p", { class: "choices", role: "group", "aria-labelledby": "curves-label" }, make("span", { id: "curves-label" }, "Curves"),
      button("All", String(overview.rows.every((row) => chosen.shows(keyOf(row)))), () => change({ keys: topKeys(Infinity) })),
      many && button(`First ${few}`, String(!chosen.keys), () => change({ keys: null })), button("None", String(Boolean(chosen.keys) && chosen.keys.size === 0), () => change({ keys: new Set() })),
      button("Logarithmic", String(chosen.log), () => change({ log: !chosen.log })),
      b && button("Over the benchmark", String(chosen.excess), () => change({ excess: !chosen.excess }))),
    make("ul", { class: "legend", "aria-label": "Curves" }, overview.rows.map((row) => entry(keyOf(row), row.name, row)), b && entry("benchmark", b.name + " (benchmark)", b)));
}

function showCurves() {
  const charts = overview.charts.map((plot) => chartOf(plot, overview.days));
  document.getElementById("curves").hidden = !charts.length;
  if (!charts.length) return;
  showControls();
  for (const chart of charts) {
    const f = figures.get(chart.id);
    if (f) {
      f.chart = chart;
      f.redraw();
    } else {
      document.getElementById("drawings").append(figure(chart, chosen));
      figures.get(chart.id).redraw();
    }
  }
}
