// The accounts: closed until a reader opens one, whose details are read then.

const opened = new Map(); // by id: the version of the details that are shown

function showAccounts() {
  const list = document.getElementById("account-list");
  const rows = [...overview.rows].sort((a, b) => byText.compare(a.name, b.name));
  const nodes = new Map([...list.children].map((node) => [node.id, node]));
  rows.forEach((row, i) => {
    let node = nodes.get(row.id);
    nodes.delete(row.id);
    if (!node) {
      node = make("details", { id: row.id, class: "account", "data-key": keyOf(row), ontoggle: () => node.open && loadAccount(row.id) }, make("summary"), make("div", { class: "body" }));
    }
    refill(node.firstElementChild, make("h3", { id: `${row.id}-name` }, swatch(row), row.name), " ", ...row.cells.slice(0, 1).map((c) => make("span", { class: c.class || "" }, c.text)));
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null);
    if (node.open) loadAccount(row.id);
  });
  for (const node of nodes.values()) node.remove();
  document.getElementById("accounts").hidden = !rows.length;
}

// loadAccount reads the details of an account, unless they are shown already.
async function loadAccount(id) {
  const row = overview.rows.find((r) => r.id === id);
  const node = document.getElementById(id);
  if (!row || !node || opened.get(id) === row.version) return;
  opened.set(id, row.version);
  const body = node.lastElementChild;
  body.setAttribute("aria-busy", "true");
  const [details, pairs] = await Promise.all([part(id), part("pairs"), loadPrices(overview.prices), tradesRead]);
  const holder = document.createElement("template");
  holder.innerHTML = details.html; // all text in it was escaped where it was made
  const slots = [...holder.content.querySelectorAll("[data-chart]")];
  const charts = new Map(slots.map(({ dataset: { chart, symbol, line } }) => [chart, symbol ? priceChart(chart, symbol, row) : line ? drawdownChart(chart, line) :
    ownChart(details, chart, row)]));
  for (const place of holder.content.querySelectorAll("[data-pairs]")) place.append(...pairTable(place.dataset.pairs, pairs, id));
  for (const slot of slots) {
    const chart = charts.get(slot.dataset.chart);
    if (chart) chart.of = row.name;
    if (!chart) slot.remove();
    else if (!figures.has(chart.id)) slot.append(accountFigure(chart));
  }
  morphChildren(body, holder.content);
  for (const slot of body.querySelectorAll("[data-chart]")) {
    const f = figures.get(slot.dataset.chart);
    f.chart = charts.get(slot.dataset.chart);
    f.redraw();
  }
  for (const place of body.querySelectorAll("details[data-said][open]")) loadSaid(place); // of the day under way more was said
  body.removeAttribute("aria-busy");
  hintScroll(body);
}

// ownChart is a chart of the account's details. What is the account's own is drawn as its curve is.
function ownChart(details, id, row) {
  const chart = chartOf(details.charts.find((plot) => plot.id === id), details.days);
  for (const line of chart.lines) if (line.key === "rolling") Object.assign(line, { class: row.class, dashes: row.dashes });
  return chart;
}

// drawdownChart is an account's line of the drawdowns of all.
function drawdownChart(id, key) {
  const plot = overview.charts.find((p) => p.id === "drawdown");
  const lines = plot ? plot.lines.filter((line) => line.key === key) : [];
  return lines.length ? { ...chartOf({ ...plot, lines }, overview.days), id, title: "Drawdown", text: "How far the account was below its peak so far.", table: "Drawdown by day", small: true } : null;
}

// pairTable compares an account with the others; a comparison of another one with it is turned.
function pairTable(name, pairs, id) {
  const inverse = (x) => (x === null ? null : 1 / (1 + x) - 1);
  const turned = (c) => ({ ...c, against: c.account, ahead: inverse(c.ahead), ahead_interval: { low: inverse(c.ahead_interval.high), high: inverse(c.ahead_interval.low) }, sharpe: c.sharpe === null ? null : -c.sharpe });
  const own = pairs.filter((c) => c.account === name || c.against === name).map((c) => (c.account === name ? c : turned(c)));
  if (!own.length) return [];
  const head = ["Account", "Ahead", "95 % interval", "p", "p adjusted", "Correlation", "Sharpe difference", "Returns"].map((text, i) => make("th", { scope: "col", class: i ? "num" : null }, text));
  const rows = own.map((c) => make("tr", {}, make("th", { scope: "row" }, c.against), make("td", { class: `num ${signOf(c.ahead)}` }, signedPercent(c.ahead)),
    [`${signedPercent(c.ahead_interval.low)} to ${signedPercent(c.ahead_interval.high)}`, fixed(c.p, 3), fixed(c.p_adjusted, 3), fixed(c.correlation, 2), fixed(c.sharpe, 2), fixed(c.returns, 0)].map((text) => make("td", { class: "num" }, text))));
  return [make("details", { id: `${id}-others` }, make("summary", {}, "Beside the other accounts"), make("p", { class: "soft" }, "Ahead: the growth over that of the other, less 1, on the days that both have, with its 95 % interval. " +
    "p: how likely so large a difference is if both grow equally; adjusted by Holm for all pairs. Correlation: of the daily returns, from 20 of each."), table(`${name} beside the other accounts`, "scroll tall", head, rows))];
}

// accountFigure is a chart of an account, with a legend of its own that turns lines on and off.
function accountFigure(chart) {
  const off = new Set();
  const legend = chart.legend && make("ul", { class: "legend", "aria-label": `Lines of ${chart.title}` }, chart.lines.map((line) => make("li", { "data-key": line.key },
    make("button", { type: "button", "aria-pressed": "true", onclick: (event) => {
      if (!off.delete(line.key)) off.add(line.key);
      event.currentTarget.setAttribute("aria-pressed", String(!off.has(line.key)));
      figures.get(chart.id).redraw();
    } }, swatch(line), line.name))));
  return figure(chart, { shows: (key) => !off.has(key) }, legend);
}

// ---- The conversation of a day, which the server has, is read when it is opened ----

async function loadSaid(place) {
  const answer = await fetch(place.dataset.said).catch(() => null);
  const text = answer && answer.ok ? await answer.text() : "What was said cannot be read just now.";
  if (!place.querySelector("pre")) place.append(make("pre", { tabindex: "0", role: "region", "aria-label": "The conversation" }));
  place.querySelector("pre").textContent = text;
}
document.addEventListener("toggle", ({ target }) => target.matches("details[data-said][open]") && loadSaid(target), true);
