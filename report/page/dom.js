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
  if (!look.dashes) return make("i", { class: `swatch ${look.class}` });
  return make("svg", { class: `swatch dashes ${look.class}`, viewBox: "0 0 30 8", "aria-hidden": "true", focusable: "false" },
    make("g", { "stroke-dasharray": look.dashes }, make("path", { class: "line", d: "M0 4L30 4" })));
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
  return make("th", { scope: "col", class: number ? "num" : null, "aria-sort": order.by === by ? wayOf(order.down) : null },
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

// refill replaces the content of an element. What had the focus in it has it again: by its place in the row or line that it is of.
function refill(element, ...children) {
  const focus = element.contains(document.activeElement) ? document.activeElement : null;
  const stops = (root) => [...root.querySelectorAll("a, button, input, select, [tabindex]")];
  const holder = focus && focus.closest("[id], [data-key]");
  const at = focus && stops(holder).indexOf(focus);
  element.replaceChildren(...children.flat().filter(Boolean));
  if (focus && !element.contains(focus)) {
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
