// How numbers are written, as Go writes them in the rest of the page.

const unknown = "\u2013";
const minus = "\u2212";
const space = "\u00a0"; // keeps a number and its unit on one line
const forms = new Map();

// fixed writes a number with the given decimals and separators of thousands. It is rounded as the decimal number that it stands for.
function fixed(x, decimals) {
  if (x === null || x === undefined || Number.isNaN(x)) return unknown;
  if (!forms.has(decimals)) forms.set(decimals, new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  const size = String(Math.abs(x));
  const round = size.includes("e") ? Math.abs(x) : Number(`${Math.round(Number(`${size}e${decimals}`))}e-${decimals}`);
  const text = forms.get(decimals).format(round);
  return x < 0 && /[1-9]/.test(text) ? minus + text : text;
}

const plus = (x) => (x > 0 ? "+" : "");
const money = (x) => fixed(x, 2);
const signedMoney = (x) => plus(x) + money(x);
const percent = (x, decimals = 2) => (x === null || x === undefined || Number.isNaN(x) ? unknown : fixed(Number((100 * x).toFixed(8)), decimals) + space + "%");
const signedPercent = (x) => plus(x) + percent(x);
const signedPoints = (x) => signedPercent(x).replace("%", "pp");
const price = (x) => (x !== null && Math.abs(x) < 1 ? x.toFixed(6) : money(x));
const plural = (n, what) => (n === 1 ? `1 ${what}` : `${fixed(n, 0)} ${what}s`);
const signOf = (x) => (x > 0 ? "up" : x < 0 ? "down" : "");

function amount(x) {
  if (Number.isInteger(x)) return fixed(x, 0);
  const text = String(x);
  return text.includes("e") || text.split(".")[1].length > 6 ? fixed(x, 6) : text;
}
