// Forest plots: a row for each account or variant, with what it is ahead and the 95 % interval of that, all on one axis.

const forestSize = { width: 300, height: 22, edge: 8 };

// forestScale places growth on an axis, as its logarithm: ahead by half and behind by a third are as far from 0.
function forestScale(rows) {
  const bend = (v) => Math.log1p(Math.max(v, -0.999));
  const ends = rows.flatMap((row) => [row.interval.low, row.interval.high, 0]).map(bend);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const wide = forestSize.width - 2 * forestSize.edge;
  return (v) => forestSize.edge + ((bend(v) - low) / (high - low || 1)) * wide;
}

function forestDrawing(row, x) {
  const { width, height } = forestSize;
  const middle = height / 2;
  const path = (kind, d) => make("path", { class: kind, d });
  return make("svg", { viewBox: `0 0 ${width} ${height}`, class: `${row.class} ${row.told ? "told" : ""}`, "aria-hidden": "true", focusable: "false" },
    path("zero", `M${place(x(0))} 0V${height}`),
    path("range", `M${place(x(row.interval.low))} ${middle}H${place(x(row.interval.high))}`),
    make("circle", { class: "dot", cx: place(x(row.v)), cy: middle, r: 4.5 }));
}

// forestNode is the section of a plot.
function forestNode(f) {
  const x = forestScale(f.rows);
  const head = [f.id === "ahead" ? "Account" : "Variant", "Drawn", "Ahead", "95 % interval", "p among all", "Returns"].map((text, i) => make("th", { scope: "col", class: i > 1 ? "num" : null }, text));
  const rows = f.rows.map((row) => make("tr", { "data-key": row.key }, make("th", { scope: "row" }, f.id === "ahead" && swatch(row), row.name), make("td", {}, forestDrawing(row, x)),
    make("td", { class: `num ${row.told ? signOf(row.v) : ""}` }, signedPercent(row.v)),
    [`${signedPercent(row.interval.low)} to ${signedPercent(row.interval.high)}`, fixed(row.p, 3), fixed(row.returns, 0)].map((text) => make("td", { class: "num" }, text))));
  return make("section", { id: f.id, class: "forest" }, make("h3", {}, f.name),
    make("p", { class: "soft" }, "The growth over that of the other, less 1, on the days that both have, with its 95 % interval, on an axis of its logarithm; the rule is 0. " +
      "A full dot is told from 0 when all of them are looked at (Holm), a hollow one is not. What has too few returns for an interval is left out."),
    table(f.name, "scroll", head, rows));
}

const showForests = () => refill(document.getElementById("forests"), (overview.forests || []).map(forestNode));
