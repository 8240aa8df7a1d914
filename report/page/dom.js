// Elements. Text goes in as text: the only markup that is taken as such is the server's, in account.js.

const svgSpace = "http://www.w3.org/2000/svg";

// make makes an element; attributes that are null, undefined or false are left out, on… are listeners.
function make(name, attributes = {}, ...children) {
  const drawn = ["svg", "g", "path", "circle", "text", "rect"].includes(name);
  const element = drawn ? document.createElementNS(svgSpace, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

// swatch shows the look of a line: its colour, and its dashes if it has some.
function swatch(look) {
  return make("svg", { class: `swatch ${look.dashes ? "dashes " : ""}${look.class}`, viewBox: "0 0 30 8", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
    make("rect", { class: "fill", width: 30, height: 8 }), make("g", { "stroke-dasharray": look.dashes }, make("path", { class: "line", d: "M0 4L30 4" })));
}

// table makes a table that scrolls, and says so where it is wider than the screen.
function table(name, kind, head, rows, id) {
  return make("div", { class: kind, tabindex: "0", role: "region", "aria-label": name },
    make("table", { id, class: id ? id.replace("-table", "") : null }, make("caption", { class: "hidden" }, name), make("thead", {}, make("tr", {}, head)), make("tbody", {}, rows)));
}

// say has a screen reader tell a sentence when it has told what it is at.
const say = (text) => {
  document.getElementById("said").textContent = text;
};

// sortHead is the head of a column that sorts when it is pressed. The order is {by, down}.
function sortHead(name, by, order, sort, number) {
  const wayOf = (down) => (down ? "descending" : "ascending");
  const spoken = name === "#" ? "Rank" : name;
  const press = () => {
    const down = by !== order.by || !order.down;
    sort({ by, down });
    say(`Sorted by ${spoken}, ${wayOf(down)}`);
  };
  return make("th", { scope: "col", "data-key": by, class: number ? "num" : null, "aria-sort": order.by === by ? wayOf(order.down) : null },
    make("button", { type: "button", "aria-label": spoken !== name && spoken, onclick: press }, name));
}

// compared orders two values; unknown ones come last, whatever the order is.
const byText = new Intl.Collator("en", { numeric: true });
function compared(a, b, down) {
  if (a === null || b === null) return (a === null) - (b === null);
  return (down ? -1 : 1) * (typeof a === "number" ? a - b : byText.compare(a, b));
}

// focusOn gives an element the focus, also one that the keyboard does not stop at.
function focusOn(element) {
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

// ---- Changed nodes take the place of old ones; the others stay, with what the reader does to them: a press, a selection, the place of a
// screen reader. Nodes are the same if their keys are: an id, a chart or data-key; without keys, if they have the same place. What listens
// to a node stays with it, so it must not hold what changes, unless the key has it. ----

const readerAttributes = new Set(["open", "tabindex"]);

function morph(from, to) {
  if (from.isEqualNode(to) || (from.dataset && (from.dataset.chart || from.dataset.said) && from.dataset.chart === to.dataset.chart && from.dataset.said === to.dataset.said)) return;
  if (from.nodeType !== Node.ELEMENT_NODE || from.localName === "svg") {
    from.replaceWith(to);
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !readerAttributes.has(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value && !readerAttributes.has(name)) from.setAttribute(name, value);
  if (from.localName === "input" && from.value !== to.value) from.value = to.value;
  morphChildren(from, to);
}

const nodeKey = (node) => node.id || (node.dataset && (node.dataset.chart || node.dataset.key)) || "";

function morphChildren(from, to) {
  const keyed = new Map();
  for (const child of from.children) if (nodeKey(child)) keyed.set(nodeKey(child), child);
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const key = nodeKey(next);
    while (at && !key && nodeKey(at)) at = at.nextSibling;
    let match = key ? keyed.get(key) : at;
    if (match && match.nodeName !== next.nodeName) match = null;
    if (!match) {
      from.insertBefore(next, at);
      continue;
    }
    keyed.delete(key);
    if (match === at) at = at.nextSibling;
    else from.insertBefore(match, at);
    morph(match, next);
  }
  for (const gone of keyed.values()) {
    if (gone === at) at = at.nextSibling;
    gone.remove();
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// refill changes the content of an element. What had the focus in it has it again: by its place in the row or line that it is of.
function refill(element, ...children) {
  const focus = element.contains(document.activeElement) ? document.activeElement : null;
  const stops = (root) => [...root.querySelectorAll("a, button, input, select, [tabindex]")];
  const near = focus && focus.closest("[id], [data-key]");
  const holder = element.contains(near) ? near : element;
  const at = focus && stops(holder).indexOf(focus);
  const next = document.createDocumentFragment();
  next.append(...children.flat().filter(Boolean));
  morphChildren(element, next);
  if (focus && document.activeElement !== focus) {
    const again = holder === element ? element : element.querySelector(holder.id ? `#${CSS.escape(holder.id)}` : `[data-key="${CSS.escape(holder.dataset.key)}"]`);
    focusOn((again && (holder === focus ? again : stops(again)[at])) || stops(element).pop() || element);
  }
  hintScroll(element);
}

// hintScroll marks the regions that are wider than what is seen of them.
function hintScroll(root) {
  for (const region of root.querySelectorAll(".scroll")) region.classList.toggle("wider", region.scrollWidth > region.clientWidth + 1);
}

// download hands the reader a file that is made here.
function download(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const csvCell = (x) => (/[",\n\r]/.test(x) ? `"${String(x).replaceAll('"', '""')}"` : String(x ?? ""));
const csv = (rows) => rows.map((row) => row.map(csvCell).join(",")).join("\n") + "\n";
