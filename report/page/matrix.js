// The correlations of accounts, each with each.

const maxMatrix = 50; // accounts
const coefficient = (x) => (x === null || x === undefined ? "" : fixed(x, 2).replace("0.", "."));
const warmth = (x) => (x === null || x === undefined ? null : `heat ${x < 0 ? "down" : "up"}${[0.25, 0.5, 0.75].filter((bound) => Math.abs(x) >= bound).length}`);

// matrixTable has a row and a column for each account, in the order of the leaderboard.
function matrixTable(pairs) {
  const rows = overview.rows.slice(0, maxMatrix);
  const found = new Map(pairs.flatMap((c) => [[JSON.stringify([c.account, c.against]), c.correlation], [JSON.stringify([c.against, c.account]), c.correlation]]));
  const head = [make("th", { scope: "col" }, "Account"), ...rows.map((row, i) => make("th", { scope: "col", title: row.name, "aria-label": row.name }, String(i + 1)))];
  const cell = (row, other) => {
    const x = row === other ? undefined : found.get(JSON.stringify([row.name, other.name]));
    return make("td", { class: warmth(x) }, row === other ? "1" : coefficient(x));
  };
  const lines = rows.map((row, i) => make("tr", { "data-key": keyOf(row) }, make("th", { scope: "row" }, `${i + 1} `, swatch(row), row.name), rows.map((other) => cell(row, other))));
  return table("Correlation of daily returns", "scroll", head, lines, "matrix-table");
}

// fillMatrix reads the pairs when a reader opens the table, and again when accounts have changed.
async function fillMatrix(details) {
  if (!details.open) return;
  const pairs = await part("pairs");
  const more = overview.rows.length > maxMatrix && ` The first ${maxMatrix} of ${fixed(overview.rows.length, 0)} accounts are shown.`;
  refill(details.lastElementChild, make("p", { class: "soft" }, "Pearson's coefficient, over the days that both have, from 20 returns on; blank where there are fewer.", more), matrixTable(pairs));
}

function showMatrix() {
  const holder = document.getElementById("matrix");
  if (!overview.matrix) {
    holder.replaceChildren();
    return;
  }
  if (!holder.firstChild) {
    holder.append(make("details", { id: "correlations", ontoggle: (event) => fillMatrix(event.currentTarget) }, make("summary", {}, "Correlation of the accounts"), make("div")));
  }
  fillMatrix(holder.firstChild);
}
