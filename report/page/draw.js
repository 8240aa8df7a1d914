// Drawing a chart as SVG: the same layout as that of the files, see report/chart/layout.go.

const letters = 13; // height of the letters of a drawing
const differs = (chart, view) => view.excess && chart.kind === "return"; // its values are differences, in percentage points
const unitOf = (chart, view) => (chart.kind === "price" || chart.kind === "ratio" ? "" : differs(chart, view) ? "pp" : "%");

// excess replaces total returns by what they are over the benchmark since the line's own first day.
function excess(lines) {
  const benchmark = lines.find((line) => line.key === "benchmark");
  if (!benchmark) return lines;
  const growth = new Map(benchmark.at.map((day, i) => [day, 1 + benchmark.values[i]]));
  return lines.filter((line) => line !== benchmark).map((line) => {
    const common = line.at.map((_, i) => i).filter((i) => growth.has(line.at[i]));
    const start = common.length ? growth.get(line.at[common[0]]) / (1 + line.values[common[0]]) : NaN;
    return { ...line, at: common.map((i) => line.at[i]), values: common.map((i) => 1 + line.values[i] - growth.get(line.at[i]) / start) };
  });
}

// seen returns what a view shows of a chart: the days, and the lines with their values on these.
function seen(chart, view) {
  const inRange = (day) => (!view.from || chart.days[day] >= view.from) && (!view.to || chart.days[day] <= view.to);
  const all = differs(chart, view) ? excess(chart.lines) : chart.lines;
  const days = [...new Set(all.flatMap((line) => line.at))].filter(inRange).sort((a, b) => a - b);
  const lines = all.filter((line) => view.shows(line.key)).map((line) => {
    const kept = line.at.map((_, i) => i).filter((i) => inRange(line.at[i]));
    return { ...line, at: kept.map((i) => line.at[i]), values: kept.map((i) => line.values[i]) };
  });
  return { days, lines };
}

function valueRange(chart, lines, whole) {
  if (chart.kind === "stack") return [0, 1];
  let [low, high] = chart.kind === "underwater" ? [-0.01, 0] : chart.kind === "return" && whole ? [0, 0] : [Infinity, -Infinity];
  for (const line of lines) for (const v of line.values) if (!Number.isNaN(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
  if (low > high) [low, high] = [0, 0];
  const size = Math.max(Math.abs(low), Math.abs(high));
  const room = Math.max(0.01, size / 100);
  return high - low <= size / 1e9 ? [low - room, high + room] : [low, high];
}

// ticksOf returns round values that include the lowest and the highest value, in about the given number of steps.
function ticksOf(low, high, steps) {
  const rough = high / steps - low / steps;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5].find((n) => n * unit >= rough) || 10);
  const ticks = [];
  for (let i = Math.floor(low / step + 1e-9); ticks.length < 2 || ticks[ticks.length - 1] < high - step * 1e-9; i++) ticks.push(i * step);
  return ticks;
}

function tickLabel(unit, value, step) {
  const times = unit ? 100 : 1;
  const decimals = Math.max(0, Math.ceil(-Math.log10(step * times) - 1e-9));
  const text = (Math.round(value / step) * step * times + 0).toFixed(Math.min(decimals, 20));
  return text.replace("-", minus) + (unit && " " + unit);
}

const place = (x) => String(Math.round(x * 10) / 10);
const pathOf = (run) => "M" + run.map(([x, y]) => `${place(x)} ${place(y)}`).join("L");

// scales are the axes of a drawing: x of a place among the days, y of a value, and the ticks.
function scales(chart, view, shown, width, height) {
  const log = view.log && chart.kind === "return";
  const bend = (v) => (log ? Math.log1p(Math.max(v, -0.999)) : v);
  let [low, high] = valueRange(chart, shown.lines, !view.from && !view.to);
  let ticks = ticksOf(low, high, Math.max(2, Math.floor(height / 65)));
  const step = ticks[1] - ticks[0];
  if (log) ticks = ticks.filter((tick) => tick > -1);
  [low, high] = [bend(ticks[0]), bend(ticks[ticks.length - 1])];
  const axis = height - 2 * letters;
  const y = (v) => axis - ((bend(v) - low) / (high - low)) * (axis - 12);
  if (log) ticks = ticks.filter((tick, i) => i === 0 || i === ticks.length - 1 || (y(ticks[i - 1]) - y(tick) > 16 && y(tick) - y(ticks[ticks.length - 1]) > 16));
  const labels = ticks.map((tick) => tickLabel(unitOf(chart, view), tick, step));
  const left = Math.max(...labels.map((text) => text.length)) * 0.58 * letters + 16;
  const right = width - 16;
  const last = shown.days.length - 1;
  const [from, to] = last === 0 ? [(left + right) / 2, (left + right) / 2] : [left, right];
  const places = new Map(shown.days.map((day, i) => [day, i]));
  return { axis, left, right, from, to, last, y, ticks, labels, x: (day) => from + ((to - from) * places.get(day)) / Math.max(1, last), places };
}

// runs joins the known values of a line. An unknown value is a gap; a day that the line does not have is passed over.
function runs(line, x, y) {
  const all = [[]];
  line.at.forEach((day, i) => {
    if (Number.isNaN(line.values[i])) all.push([]);
    else all[all.length - 1].push([x(day), y(line.values[i])]);
  });
  return all.filter((run) => run.length);
}

// markOutline is a diamond for a purchase, a square for a sale.
const markOutline = (key, x, y) => (key === "bought" ? `M${place(x - 6)} ${place(y)}l6 -6l6 6l-6 6Z` : `M${place(x - 4)} ${place(y - 4)}h8v8h-8Z`);

function drawnLine(line, s) {
  const group = make("g", { "data-key": line.key, class: line.class, "stroke-dasharray": line.dashes });
  for (const run of runs(line, s.x, s.y)) {
    if (line.marked) group.append(...run.map(([x, y]) => make("path", { class: "fill", d: markOutline(line.key, x, y) })));
    else if (run.length > 1) group.append(make("path", { class: "line", d: pathOf(run) }));
    else group.append(make("circle", { class: "fill", cx: place(run[0][0]), cy: place(run[0][1]), r: "2.5" }));
  }
  return group;
}

// stacked draws the lines as areas, one on top of the other. A day on which one of them is unknown is a gap in all.
function stacked(lines, s) {
  const floors = new Map();
  const known = lines.length ? lines[0].at.map((day, i) => (lines.every((line) => !Number.isNaN(line.values[i] ?? NaN)) ? day : null)) : [];
  return lines.map((line) => {
    const group = make("g", { "data-key": line.key, class: line.class, "stroke-dasharray": line.dashes });
    let upper = [];
    let lower = [];
    const end = () => {
      const wide = (run) => (run.length > 1 ? run : [[run[0][0] - 2, run[0][1]], [run[0][0] + 2, run[0][1]]]);
      if (upper.length) group.append(make("path", { class: "fill", d: pathOf([...wide(upper), ...wide(lower).reverse()]) + "Z" }), make("path", { class: "line", d: pathOf(wide(upper)) }));
      [upper, lower] = [[], []];
    };
    known.forEach((day, i) => {
      if (day === null) return end();
      const floor = floors.get(day) || 0;
      lower.push([s.x(day), s.y(floor)]);
      floors.set(day, floor + line.values[i]);
      upper.push([s.x(day), s.y(floor + line.values[i])]);
    });
    end();
    return group;
  });
}

function dayLabels(chart, shown, s) {
  if (s.last < 0) return [];
  const label = (i, anchor) => make("text", { x: place(s.x(shown.days[i])), y: place(s.axis + 1.4 * letters), "text-anchor": anchor }, chart.days[shown.days[i]]);
  if (s.last === 0) return [label(0, "middle")];
  const step = Math.max(1, Math.ceil((10 * letters * s.last) / (s.right - s.left)));
  const all = [label(0, "start")];
  for (let i = step; i + step <= s.last; i += step) all.push(label(i, "middle"));
  return [...all, label(s.last, "end")];
}

// drawing draws what a view shows of a chart, and returns it with the scales.
function drawing(chart, view, width, height) {
  const shown = seen(chart, view);
  const s = scales(chart, view, shown, width, height);
  const rule = (kind, y) => make("path", { class: kind, d: `M${place(s.left)} ${place(y)}H${place(s.right)}` });
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, "data-first": place(s.from), "data-last": place(s.to), "aria-hidden": "true", focusable: "false" },
    s.ticks.map((tick) => rule("grid", s.y(tick))),
    s.ticks.map((tick, i) => make("text", { x: place(s.left - 8), y: place(s.y(tick) + letters / 3), "text-anchor": "end" }, s.labels[i])),
    dayLabels(chart, shown, s),
    chart.kind === "stack" ? stacked(shown.lines, s) : shown.lines.map((line) => drawnLine(line, s)),
    rule("axis", s.axis));
  return { svg, shown, scales: s };
}
