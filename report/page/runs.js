// The runs that are under way, of a page that is served: agent/underway says what the keys are.

let underway = null; // {halted, accounts}

const clock = (time) => time.slice(0, 16).replace("T", " ") + " UTC";
const sums = (x) => (x === undefined ? "" : fixed(Number(x), 4).replace(/0{1,2}$/, ""));

// runNotes are the sentences that a reader should know of a run.
function runNotes(run) {
  return [
    run.halted && "Trading is halted (HALT).",
    run.why && `${run.why[0].toUpperCase()}${run.why.slice(1)}.`.replace(/([.!?])\.$/, "$1"),
    run.without && `The day is traded without the prices of ${run.without.join(", ")}.`,
    ...(run.notes || []),
  ].filter(Boolean);
}

function runRow(run) {
  const row = overview.rows.find((r) => r.name === run.account);
  const small = (text) => text && make("small", {}, text);
  const costs = [
    run.cost !== undefined && `${sums(run.cost)}${run.budget === undefined ? "" : ` of ${sums(run.budget)}`}`,
    run.day_budget !== undefined && `today ${sums(run.cost_today || "0")} of ${sums(run.day_budget)}`,
    run.total_budget !== undefined && `all accounts ${sums(run.total_cost)} of ${sums(run.total_budget)}`,
  ].filter(Boolean);
  return make("tr", { "data-key": run.account, "data-run": run.account, "data-state": run.state },
    make("th", { scope: "row" }, row ? make("a", { href: `#${row.id}` }, swatch(row), run.account) : run.account),
    make("td", { class: "told" }, make("b", { class: run.state }, run.state), run.halted && make("b", { class: "stopped" }, " HALT"), small(runNotes(run).join(" "))),
    make("td", { class: "num" }, run.day || run.days ? `${fixed(run.day, 0)}${run.days ? ` of ${fixed(run.days, 0)}` : ""}` : unknown, small(run.date)),
    make("td", { class: "num" }, run.turn ? fixed(run.turn, 0) : unknown, small(run.tool)),
    make("td", { class: "num" }, fixed(run.refused, 0), run.refused_today > 0 && small(`${fixed(run.refused_today, 0)} today`)),
    make("td", { class: "num" }, costs[0] || unknown, costs.slice(1).map(small)),
    make("td", { class: "told" }, run.trader || unknown, run.since && small(`since ${clock(run.since)}`), run.run && small(`run ${run.run}`)));
}

function showRuns() {
  const section = document.getElementById("runs");
  section.hidden = !underway || !(underway.accounts.length || underway.halted || underway.unread);
  if (section.hidden) return;
  const head = ["Account", "State", ">Day", ">Turn", ">Refused", ">Cost", "Traded by"]
    .map((name) => make("th", { scope: "col", class: name[0] === ">" ? "num" : null }, name.replace(">", "")));
  refill(section, make("h2", { id: "runs-title" }, "Runs under way"), underway.halted && make("p", { class: "halt" }, "Trading is halted for all models (HALT)."),
    underway.unread && make("p", { class: "soft" }, `What waits in the queue, or is halted, is not known: ${underway.unread}`),
    underway.accounts.length > 0 && table("Runs under way", "scroll", head, underway.accounts.map(runRow), "runs-table"));
}
