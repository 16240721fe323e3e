// A page about work that goes on loads itself afresh, but not under the hands of a reader who is in the middle of
// something: a hidden tab, a filter set or being typed, text selected.

function startRefreshing() {
  const box = document.getElementById("refresh");
  if (!box) return;
  const isReading = () => {
    const clear = document.getElementById("clear");
    const filtered = (clear && !clear.hidden) || [...document.querySelectorAll("input[type=search]")].some((one) => one.value);
    const field = document.activeElement && document.activeElement.closest("input, select");
    return document.hidden || filtered || (field && field !== box) || !getSelection().isCollapsed;
  };
  // To load afresh would call off the way to a page that is still being built.
  let isLeaving = false;
  addEventListener("beforeunload", () => { isLeaving = true; });
  addEventListener("pageshow", () => { isLeaving = false; });
  setInterval(() => {
    if (box.checked && !isLeaving && !isReading()) location.reload();
  }, 1000 * Number(box.dataset.seconds));
}

startRefreshing();
