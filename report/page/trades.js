// All trades: searched, sorted, and shown as many at a time as a reader looks at.

let trades = []; // {account, id, date, side, symbol, amount, price, value, fees, gain, note, key, text}
let tradeData; // the columns in which they came
let tradesKnown = false; // they have been read
const traded = new Map(); // the same by account and symbol, once they are asked for
const tradeOrder = { by: "date", down: true };
const filter = { text: "", account: "", side: "" };
let tradesShown = 50;
const tradeColumns = [
  ["Date", "date"], ["Account", "account"], ["Side", "side"], ["Symbol", "symbol"], ["Amount", "amount", amount], ["Price", "price", price],
  ["Value", "value", money], ["Fees", "fees", money], ["Gain", "gain", signedMoney], ["Note", "note"],
];

// readTrades reads the columns in which the trades of each account come, see report/page/trades.go.
function readTrades(accounts) {
  const all = [];
  for (const a of accounts) {
    let [id, at] = [0, 0];
    a.id.forEach((step, i) => {
      id += step;
      at += a.date[i];
      const size = Math.abs(a.amount[i]);
      const value = a.price[i] === null ? null : Number((a.price[i] * size).toFixed(8));
      all.push({ account: a.name, key: `t-${a.key}-${id}`, id, date: a.dates[at], side: a.amount[i] < 0 ? "sell" : "buy", symbol: a.symbols[a.symbol[i]], amount: size,
        price: a.price[i], value, fees: a.fees ? a.fees[i] : 0, gain: a.gain[i], note: (a.notes && a.notes[i]) || "" });
    });
  }
  return all.sort((a, b) => (a.date < b.date ? 1 : a.date > b.date ? -1 : b.id - a.id || byText.compare(a.account, b.account)));
}

const verbs = { buy: "bought", sell: "sold" };

// tradesOf are the trades of an account in a symbol, oldest first.
function tradesOf(account, symbol) {
  if (!traded.size) {
    for (const t of trades) {
      const key = `${t.symbol} ${t.account}`; // a name of an account has no space
      if (!traded.has(key)) traded.set(key, []);
      traded.get(key).unshift(t);
    }
  }
  return traded.get(`${symbol} ${account}`) || [];
}

// foundTrades are those that the filter lets through, in the order that was chosen.
function foundTrades() {
  const words = filter.text.split(/\s+/).filter(Boolean).map((word) => [word, word.toLowerCase()]);
  const found = trades.filter((t) => (!filter.account || t.account === filter.account) && (!filter.side || t.side === filter.side) &&
    (!words.length || ((text) => words.every(([key, word]) => text.includes(word) || key === t.key))(`${t.date} ${t.account} ${verbs[t.side]} ${t.symbol} ${t.note}`.toLowerCase())));
  const { by, down } = tradeOrder;
  if (by === "date") return down ? found : found.reverse(); // as they were read
  return found.sort((a, b) => compared(a[by], b[by], down));
}

const tradeRow = (columns, fresh) => (t) => make("tr", { id: t.key, class: fresh && !fresh.has(t.key) ? "new" : null, "data-account": t.account },
  columns.map(([, by, form]) => {
    if (form) return make("td", { class: `num ${by === "gain" ? signOf(t.gain) : ""}` }, form(t[by]));
    return make("td", { class: by === "side" ? t.side : by === "note" ? "note" : null }, by === "side" ? verbs[t.side] : t[by]);
  }));

function showTrades(fresh) {
  const found = foundTrades();
  const columns = tradeColumns.filter(([, by]) => (by !== "fees" && by !== "note") || trades.some((t) => t[by]));
  const sort = (order) => {
    Object.assign(tradeOrder, order);
    showTrades();
    saveState();
  };
  const head = columns.map(([name, by, form]) => sortHead(name, by, tradeOrder, sort, form));
  document.getElementById("trades-note").textContent = !tradesKnown ? "" : trades.length < overview.trades ? `The newest ${fixed(trades.length, 0)} of ${plural(overview.trades, "trade")}. ${overview.tradesNote}` :
    trades.length ? `All ${plural(trades.length, "trade")}.` : "There are no trades.";
  document.getElementById("filter").hidden = !trades.length;
  document.getElementById("filter-count").textContent = found.length === trades.length ? "" : `${fixed(found.length, 0)} of ${fixed(trades.length, 0)} found`;
  const left = found.length - tradesShown;
  refill(document.getElementById("trades-found"), trades.length > 0 && table("Table of trades", "scroll", head, found.slice(0, tradesShown).map(tradeRow(columns, fresh)), "trades-table"),
    left > 0 && make("button", { type: "button", class: "plain", "data-key": "more", onclick: () => {
      tradesShown += 500;
      showTrades();
      say(`${fixed(Math.min(tradesShown, foundTrades().length), 0)} trades are shown`);
    } }, `Show more: ${fixed(left, 0)} follow`));
}

function showFilter() {
  const select = document.getElementById("filter-account");
  const names = overview.rows.map((row) => row.name).sort(byText.compare);
  if (select.options.length !== names.length + 1 || names.some((name, i) => select.options[i + 1].value !== name)) {
    select.replaceChildren(make("option", { value: "" }, "all"), ...names.map((name) => make("option", { value: name }, name)));
  }
  document.getElementById("filter-text").value = filter.text;
  select.value = filter.account;
  document.getElementById("filter-side").value = filter.side;
}

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    if (!event.target.closest("#filter")) return;
    for (const key of ["text", "account", "side"]) filter[key] = document.getElementById(`filter-${key}`).value;
    tradesShown = 50;
    showTrades();
    saveState();
  });
}
document.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("trades-download").addEventListener("click", () => download("trades.csv", "text/csv",
  csv([["account", "id", "date", "action", "symbol", "amount", "price", "value", "fees", "gain", "note"],
    ...foundTrades().map((t) => [t.account, t.id, t.date, t.side, t.symbol, t.amount, t.price, t.value, t.fees, t.gain, t.note])])));

// tellNews has a screen reader tell of trades that came: of the first at once, and then of all that came since, so that it is left in peace.
const news = { pause: 30_000, told: -Infinity, untold: [], waiting: 0 };
function tellNews() {
  const { untold } = news;
  const wait = news.told + news.pause - performance.now();
  clearTimeout(news.waiting);
  if (!untold.length) return;
  if (wait > 0) {
    news.waiting = setTimeout(tellNews, wait);
    return;
  }
  const t = untold[untold.length - 1];
  say(`${plural(untold.length, "new trade")}${untold.length > 1 ? ", the last one" : ""}: ${t.account} ${verbs[t.side]} ${amount(t.amount)} ${t.symbol}`);
  Object.assign(news, { told: performance.now(), untold: [] });
}

// takeTrades takes the trades; those that were not there before are marked.
function takeTrades(data) {
  tradeData = data;
  const before = tradesKnown ? new Set(trades.map((t) => t.key)) : null;
  traded.clear();
  trades = readTrades(data);
  tradesKnown = true;
  showFilter();
  showTrades(before);
  if (before) {
    news.untold.push(...trades.filter((t) => !before.has(t.key)).reverse());
    tellNews();
  }
}
