// How the page begins, keeps what the reader chose in its address, and follows a server.

let tradesRead; // the reading of the first ones
let version = document.body.dataset.version; // of what is shown, if it is served

// The address holds, behind #, a place and what was chosen: #account-x?from=2025-01-01&q=AAPL.
function saveState() {
  const state = new URLSearchParams();
  const put = (key, value) => value && state.set(key, value);
  put("from", chosen.from);
  put("to", chosen.to);
  put("log", chosen.log && "1");
  put("excess", chosen.excess && "1");
  if (chosen.keys) state.set("curves", overview.rows.map(keyOf).concat("benchmark").filter((key) => chosen.keys.has(key)).map((key) => key.replace("account ", "")).join(","));
  put("q", filter.text);
  put("account", filter.account);
  put("side", filter.side);
  if (tradeOrder.by !== "date" || !tradeOrder.down) state.set("sort", (tradeOrder.down ? "-" : "") + tradeOrder.by);
  const target = location.hash.slice(1).split("?")[0];
  const text = state.toString();
  history.replaceState(null, "", `#${target}${text && "?" + text}`);
}

function readState() {
  const state = new URLSearchParams(location.hash.split("?")[1] || "");
  const names = state.has("curves") && state.get("curves").split(",");
  Object.assign(chosen, { from: state.get("from") || "", to: state.get("to") || "", log: state.has("log"), excess: state.has("excess"),
    keys: names && new Set(["benchmark", ...overview.rows.map(keyOf)].filter((key) => names.includes(key.replace("account ", "")))) });
  Object.assign(filter, { text: state.get("q") || "", account: state.get("account") || "", side: state.get("side") || "" });
  const sort = state.get("sort") || "-date";
  if (tradeColumns.some(([, by]) => by === sort.replace("-", ""))) Object.assign(tradeOrder, { by: sort.replace("-", ""), down: sort[0] === "-" });
}

// visit goes to the place that the address names: an account, a day of it or a trade, which are opened for it.
async function visit() {
  const target = decodeURIComponent(location.hash.slice(1).split("?")[0]);
  const row = overview.rows.find((r) => target === r.id || target.startsWith(r.id + "-"));
  if (row) {
    document.getElementById(row.id).open = true;
    await loadAccount(row.id);
  }
  const at = trades.findIndex((t) => t.key === target);
  if (at >= 0) {
    Object.assign(filter, { text: target, account: "", side: "" });
    showFilter();
    showTrades();
  }
  const place = target && document.getElementById(target);
  if (!place) return;
  for (let d = place.parentElement && place.parentElement.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
  place.scrollIntoView({ block: "start" });
  focusOn(row && target === row.id ? place.firstElementChild : place);
}

function show() {
  document.title = overview.title;
  showBoard();
  showRuns();
  showCurves();
  showForests();
  showMatrix();
  showAccounts();
}

// readAll reads overview, runs and trades of one version from the server.
async function readAll() {
  for (;;) {
    const [o, t, r] = await Promise.all(["overview", "trades", ...("runs" in parts ? ["runs"] : [])].map(fetched));
    if (o.version !== t.version || (r && o.version !== r.version)) continue; // one came in between
    [overview, version, underway] = [o.data, o.version, r ? r.data : null];
    return takeTrades(t.data);
  }
}

// readTradesOnce reads the trades that belong to the overview in the page.
async function readTradesOnce() {
  if ("trades" in parts) return takeTrades(await part("trades"));
  const t = await fetched("trades");
  if (t.version === version) return takeTrades(t.data);
  await readAll(); // the page is older
  show();
}

// update brings the page from the version that it has to the one that the server told: by what changed, or anew if that is too long ago.
let unseen = false; // overview or trades have changed, and are not shown yet
async function update(told) {
  while (version !== told) {
    const answer = await fetch(`change/${version}`);
    if (answer.status === 204) {
      await readAll();
      unseen = true;
      break; // what was told in the meantime comes next
    }
    const change = await answer.json();
    unseen = unseen || Boolean(change.overview || change.trades);
    overview = patched(overview, change.overview);
    underway = patched(underway, change.runs);
    version = change.version;
    if (change.trades) takeTrades(patched(tradeData, change.trades));
  }
  if (unseen) show();
  else showRuns();
  unseen = false;
}

function follow() {
  const { events } = document.body.dataset;
  if (!events) return;
  const live = document.getElementById("live");
  const setStatus = (text, lost) => {
    if (live.textContent !== text) live.textContent = text; // a screen reader tells each change of it
    live.classList.toggle("lost", lost);
  };
  const source = new EventSource(`${events}?version=${version}`);
  let work = Promise.resolve(); // one change after the other
  source.onopen = () => setStatus("Live", false);
  source.onerror = () => setStatus("No connection, trying again", true);
  source.addEventListener("change", (event) => {
    const told = JSON.parse(event.data);
    work = work.then(() => update(told)).then(() => setStatus("Live", false), () => setStatus("No connection, trying again", true));
  });
  source.addEventListener("trouble", (event) => setStatus(JSON.parse(event.data), true));
}

async function begin() {
  overview = await part("overview");
  if ("runs" in parts) underway = await part("runs");
  readState();
  show();
  performance.mark("overview");
  tradesRead = readTradesOnce();
  await tradesRead;
  await visit();
  window.addEventListener("hashchange", () => {
    if (location.hash.includes("?")) {
      readState();
      show();
      showFilter();
      showTrades();
    } else {
      saveState(); // a link names a place, and what was chosen stays
    }
    visit();
  });
  window.addEventListener("resize", () => hintScroll(document));
  document.addEventListener("toggle", (event) => hintScroll(event.target), true);
  document.body.dataset.ready = "all";
  follow();
}
begin();
