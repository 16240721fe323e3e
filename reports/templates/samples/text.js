// Text as nodes. What models and data say reaches the page through text nodes; what was rendered from it, through a
// copy of the elements and attributes that are listed, and of nothing else.
const LONG = 20000; // characters of a text shown at first
const config = JSON.parse(document.getElementById("config").textContent);
const words = config.strings;
const MATHML = "http://www.w3.org/1998/Math/MathML";
let query = "";

const number = (value, digits) =>
  new Intl.NumberFormat(config.language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
const percent = (value, digits = 0) =>
  new Intl.NumberFormat(config.language, { style: "percent", maximumFractionDigits: digits }).format(value);
const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const fold = (text) => text.toLowerCase().replaceAll("ё", "е");
const cut = (text, length) => (text.length > length ? text.slice(0, length).replace(/[\ud800-\udbff]$/, "") : text);

const ranges = config.invisible.filter(([first]) => first !== 0x200b).concat([[0x200b, 0x200c], [0x200e, 0x200f]]);
const code = (point) => "\\u{" + point.toString(16) + "}";
const invisible = new RegExp(
  "[" + ranges.map(([first, last]) => code(first) + "-" + code(last)).join("") + "]" +
    "|(?<![\\p{Extended_Pictographic}\\u{fe0f}\\p{Emoji_Modifier}])\\u{200d}", "gu");

function make(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "click") node.addEventListener("click", value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const unseen = (text) => make("span", { class: "unseen" }, text);
const name = (text) => make("bdi", {}, ...visible(text));

// Invisible characters become signs, what was searched for is marked.
function visible(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(invisible)) {
    nodes.push(...marked(text.slice(from, match.index)));
    const point = match[0].codePointAt(0);
    nodes.push(make("span", { class: "sign" }, "U+" + point.toString(16).toUpperCase().padStart(4, "0")));
    from = match.index + match[0].length;
  }
  nodes.push(...marked(text.slice(from)));
  return nodes;
}

function marked(text) {
  const nodes = [];
  const plain = query ? fold(text) : "";
  let from = 0;
  // Folding may change the length of a rare text; then positions would not fit, and nothing is marked.
  if (query && plain.length === text.length) {
    for (let at = plain.indexOf(query); at >= 0; at = plain.indexOf(query, from)) {
      nodes.push(text.slice(from, at), make("mark", {}, text.slice(at, at + query.length)));
      from = at + query.length;
    }
  }
  nodes.push(text.slice(from));
  return nodes;
}

function prose(text) {
  if (text.length <= LONG) return make("div", { class: "text", lang: "ru", dir: "auto" }, ...visible(text));
  const [first, ...rest] = pieces(text).map((piece) => make("div", {}, ...visible(piece)));
  const all = make("button", { type: "button", click: () => all.replaceWith(...rest) }, fill(words.full, { count: number(text.length) }));
  return make("div", { class: "text", lang: "ru", dir: "auto" }, first, all);
}

// A browser takes a minute over a line of a megabyte, and no time over the same in blocks.
function pieces(text) {
  const found = [];
  for (let from = 0; from < text.length; from += found.at(-1).length) {
    const piece = cut(text.slice(from, from + LONG + 1), LONG);
    const newline = from + piece.length < text.length ? piece.lastIndexOf("\n") + 1 : 0;
    found.push(newline > LONG / 2 ? piece.slice(0, newline) : piece);
  }
  return found;
}

function rendered(html) {
  const copy = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return visible(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE) return [];
    const isMath = node.namespaceURI === MATHML;
    const children = [...node.childNodes].flatMap(copy);
    const attributes = (isMath ? config.elements.mathml : config.elements.html)[node.localName];
    if (!attributes) return children;
    const copied = isMath ? document.createElementNS(MATHML, node.localName) : document.createElement(node.localName);
    for (const attribute of attributes) {
      const value = node.getAttribute(attribute);
      if (value !== null && /^[\w .+%-]{0,60}$/.test(value)) copied.setAttribute(attribute, value);
    }
    copied.append(...children);
    return [copied];
  };
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return make("div", { class: "rich", lang: "ru", dir: "auto" }, ...[...parsed.body.childNodes].flatMap(copy));
}

// Any JSON as names and values, four levels deep.
function pairs(entries, depth = 0) {
  return make("dl", {}, entries.map(([key, item]) => {
    const nested = item !== null && typeof item === "object";
    const plain = !nested || depth > 3 || !Object.keys(item).length;
    const text = typeof item === "string" ? item : JSON.stringify(item);
    const inner = plain ? prose(text) : pairs(Array.isArray(item) ? item.map((one, at) => [String(at + 1), one]) : Object.entries(item), depth + 1);
    return [make("dt", {}, ...visible(key)), make("dd", {}, inner)];
  }));
}

function foldable(summary, children, open) {
  return make("details", { open: Boolean(open) }, make("summary", {}, summary), children);
}
