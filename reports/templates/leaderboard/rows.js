// Tables that are sorted by their columns and filtered by their rows.

function sortBy(header) {
  const table = header.closest("table");
  const column = [...header.parentElement.children].indexOf(header);
  const ascending = header.getAttribute("aria-sort") === "descending" || (!header.hasAttribute("aria-sort") && header.dataset.first === "ascending");
  const valueIn = (row) => row.children[column].dataset.value ?? row.children[column].textContent.trim();
  const compare = (one, other) => {
    const [a, b] = [valueIn(one), valueIn(other)];
    // What is unknown stands last, whichever way the others are sorted.
    if (a === "" || b === "") return (a === "") - (b === "");
    const [x, y] = [Number(a), Number(b)];
    const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, config.language) : x - y;
    return ascending ? order : -order;
  };
  for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
}

function filterRows() {
  const wanted = fold(document.getElementById("row-filter").value.trim());
  const task = document.getElementById("task-filter").value;
  let count = 0;
  for (const row of document.querySelectorAll("tr[data-entry]")) {
    row.hidden = !fold(row.dataset.entry).includes(wanted);
    count += !row.hidden && row.closest("table.overview") ? 1 : 0;
  }
  for (const mark of document.querySelectorAll("svg [data-entry]")) {
    mark.classList.toggle("faded", !fold(mark.dataset.entry).includes(wanted));
  }
  for (const section of document.querySelectorAll("section[data-board]")) section.hidden = task !== "" && section.dataset.board !== task;
  document.getElementById("rows-found").textContent = fill(words.count, {
    shown: number(count), total: number(document.querySelectorAll("table.overview tr[data-entry]").length),
  });
}

for (const header of document.querySelectorAll("th[data-first]")) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}
if (document.getElementById("row-filter")) {
  document.getElementById("row-filter").addEventListener("input", filterRows);
  document.getElementById("task-filter").addEventListener("input", filterRows);
  filterRows();
}
