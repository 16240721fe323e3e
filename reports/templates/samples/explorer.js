// What all parts of the explorer share: its elements, and what is listed, open and unpacked.

const PAGE = 200; // rows of the list at a time
const MOST_SHARDS = 8; // kept unpacked
const SHOWN_AT_ONCE = 3; // models whose answers stand side by side, unless two are chosen
const explorer = document.getElementById("explorer");
const list = document.getElementById("list");
const detail = document.getElementById("detail");
const form = document.getElementById("filters");
const controls = form.elements;

let samples = [];
let outcomes = []; // what the counts of wins and losses stand for: {task, title, better, worse, samples}
let shown = [];
let listedFrom = 0; // the list holds shown.slice(listedFrom, listed)
let listed = 0;
let current = null;
let record = null; // the whole of the current sample
let formatted = null; // whether texts are rendered; null leaves it to the kind of sample
let comparing = false;
let found = null; // samples in whose answers a search through all shards found its words
let packed = []; // shards that the page holds itself
const unpacked = new Map(); // shard -> samples, the latest used last
const waiting = new Map(); // shard -> who waits for its script
