// The data of the page: parts of JSON, compressed in the page itself, or with the server that it comes from.

const parts = JSON.parse(document.getElementById("data").textContent);
document.getElementById("data").textContent = ""; // it is not needed twice

// fetched is a part as the server has it now, with the version that it is of.
async function fetched(name) {
  const answer = await fetch(`part/${name}`);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return { data: await answer.json(), version: answer.headers.get("Report-Version") };
}

async function part(name) {
  if (!(name in parts)) return (await fetched(name)).data;
  const text = atob(parts[name]);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

// patched applies what changed to a value and returns the new one, see report/page/patch.go.
function patched(value, patch) {
  if (!patch) return value;
  const [kind, changes, length, tail] = patch;
  if (kind === "=") return changes;
  if (length !== undefined) value.length = length;
  for (const [key, change] of Object.entries(changes)) {
    if (change[0] === "-") delete value[key];
    else value[key] = patched(value[key], change);
  }
  if (tail) for (const v of tail) value.push(v);
  return value;
}

// lineOf reads a line. It comes as differences of whole numbers, 1/scale each; null is a day whose value is unknown, false one that the
// line does not have. It becomes {at, values}: places among the days, and values, NaN where unknown.
function lineOf(line) {
  const at = [];
  const values = [];
  let sum = 0;
  line.v.forEach((v, i) => {
    if (v === false) return;
    at.push((line.from || 0) + i);
    values.push(v === null ? NaN : (sum += v) / line.scale);
  });
  return { ...line, v: null, at, values };
}

const chartOf = (plot, days) => ({ ...plot, days, lines: plot.lines.map(lineOf) });

let prices = { version: "" }; // the closes of symbols: {days, lines} by symbol

async function loadPrices(version) {
  if (prices.version === version) return;
  const { days, lines } = await part("prices");
  prices = { version, days, lines: new Map(lines.map((line) => [line.key, line])) };
}

// priceChart is the closes of a symbol while an account was there, with its trades; null if there are no closes.
function priceChart(id, symbol, row) {
  const line = prices.lines.get(symbol) && lineOf(prices.lines.get(symbol));
  if (!line) return null;
  const kept = line.at.map((_, i) => i).filter((i) => prices.days[line.at[i]] >= row.from && prices.days[line.at[i]] <= row.to);
  const close = { key: "close", name: "close", class: "close", at: kept.map((i) => line.at[i]), values: kept.map((i) => line.values[i]) };
  if (!close.values.some((v) => !Number.isNaN(v))) return null;
  const places = new Map(close.at.map((day) => [prices.days[day], day]));
  const notes = {};
  const marks = { buy: { key: "bought", class: "bought", marked: true, at: [], values: [] }, sell: { key: "sold", class: "sold", marked: true, at: [], values: [] } };
  for (const t of tradesOf(row.name, symbol)) {
    const day = places.get(t.date.slice(0, 10));
    if (day === undefined || t.price === null) continue;
    marks[t.side].at.push(day);
    marks[t.side].values.push(t.price);
    notes[day] = (notes[day] ? notes[day] + "; " : "") + `${verbs[t.side]} ${amount(t.amount)} at ${price(t.price)}`;
  }
  const times = (n) => ["never", "once", "twice"][n] || `${fixed(n, 0)} times`;
  return { id, title: symbol, text: `Bought ${times(marks.buy.at.length)}, sold ${times(marks.sell.at.length)}.`, table: `Trades of ${symbol}`, kind: "price", small: true, days: prices.days,
    lines: [close, marks.buy, marks.sell], notes };
}
