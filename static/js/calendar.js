// The calendar: what is planned is dragged to another day. It only fills in the dialog in which it is
// moved: whoever does not drag opens the same one by its button.
(function () {
  "use strict";

  const DAY = 86400000;
  const opening = Object.assign(document.createElement("a"), { hidden: true });
  opening.dataset.dialog = "";
  // Weeks of which all is shown, and what was moved by its button.
  const whole = new Set();
  let dragged = null;
  let focused = null;

  const plain = (day) => new Date(day).toISOString().slice(0, 10);
  const read = (text) => Date.parse(`${text}T00:00:00Z`);

  // The day at a place of the picture; null beside it.
  function dayAt(event) {
    const cell = event.target.closest("[data-day]");
    if (cell) return read(cell.dataset.day);
    const lanes = event.target.closest("[data-columns]");
    if (!lanes) return null;
    const box = lanes.getBoundingClientRect();
    const columns = Number(lanes.dataset.columns);
    const column = Math.min(columns - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * columns)));
    return read(lanes.dataset.first) + column * Number(lanes.dataset.step) * DAY;
  }

  function linkOf(move) {
    return [...document.querySelectorAll("[data-moves]")].find((each) => each.dataset.moves === move);
  }

  function mark(target) {
    document.querySelectorAll(".is-target").forEach((cell) => cell.classList.remove("is-target"));
    if (target) target.classList.add("is-target");
  }

  document.addEventListener("dragstart", (event) => {
    const bar = event.target.closest && event.target.closest("[data-move]");
    if (!bar) return;
    dragged = { move: bar.dataset.move, first: read(bar.dataset.first), from: dayAt(event) };
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", bar.dataset.move);
  });

  document.addEventListener("dragover", (event) => {
    if (!dragged || dayAt(event) === null) return;
    event.preventDefault();
    mark(event.target.closest("[data-day]"));
  });

  document.addEventListener("drop", (event) => {
    const day = dragged ? dayAt(event) : null;
    if (day === null) return;
    event.preventDefault();
    const shift = day - dragged.from;
    const link = linkOf(dragged.move);
    if (!link || !shift) return;
    // A link of its own: the page stays where it is when the dialog closes.
    opening.href = `${link.getAttribute("href")}?day=${plain(dragged.first + shift)}`;
    link.after(opening);
    opening.click();
  });

  const weekOf = (row) => row.querySelector("[data-day]").dataset.day;

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-whole-week]");
    if (!button) return;
    const row = button.closest("tr");
    row.classList.add("is-whole");
    whole.add(weekOf(row));
  });

  document.addEventListener("focusin", (event) => {
    focused = event.target.dataset.moves || null;
  });

  // Drawn anew after a move, it looks as before, and the keyboard is where it was.
  document.addEventListener("htmx:afterSettle", () => {
    document.querySelectorAll(".calendar-month tbody tr").forEach((row) => {
      row.classList.toggle("is-whole", whole.has(weekOf(row)));
    });
    const link = focused && document.activeElement === document.body && linkOf(focused);
    if (link) link.focus();
  });

  document.addEventListener("dragend", () => {
    dragged = null;
    mark(null);
  });
})();
