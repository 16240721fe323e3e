// The beginning, and printing.

// Printing shows what is folded, and folds it again.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});

function trouble(text) {
  const place = document.getElementById("trouble");
  place.textContent = text;
  place.hidden = false;
}

async function start() {
  if (typeof DecompressionStream === "undefined") return trouble(words.no_unpack);
  try {
    const payload = document.getElementById("payload");
    const [index, ...shards] = payload.textContent.split("\n");
    payload.remove();
    ({ samples, outcomes } = await unpack(index));
    packed = shards;
    await Promise.all(packed.map((_, shard) => shardOf(shard)));
    packed = [];
  } catch (error) {
    return trouble(fill(words.damaged, { error }));
  }
  explorer.hidden = false;
  fillFilters();
  applyFilters();
  form.addEventListener("input", (event) => {
    if (event.target === controls.task) fillTaskFilters();
    if (event.target === controls.first || event.target === controls.second) fillOutcomes();
    applyFilters();
  });
  document.getElementById("clear").addEventListener("click", () => clearFilters(controls.task.value));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", openAddress);
  addEventListener("keydown", onKey);
  document.addEventListener("click", onFilterLink);
  openAddress();
  document.documentElement.dataset.ready = "";
}

start();
