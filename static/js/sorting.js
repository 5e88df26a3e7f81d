// Rows that can be dragged to another place: an addition to the buttons that move them.
//
// [data-sortable] holds [data-sortable-item]s, each with a [data-sortable-grip] and a form with a
// disabled [data-sortable-place]. Dropping a row sends its form with the place it got, from 0.
(() => {
  "use strict";
  const item = (element) => element.closest?.("[data-sortable-item]");
  let dragged = null;
  let before = [];

  const rowsOf = (list) => [...list.querySelectorAll(":scope > [data-sortable-item]")];

  // In a list that is the lower half of a row; in a grid of cards the half where reading goes on.
  function isPast(row, { clientX, clientY }) {
    const { top, height, left, width } = row.getBoundingClientRect();
    if (row.parentElement.dataset.sortable !== "grid") return clientY > top + height / 2;
    const right = clientX > left + width / 2;
    return getComputedStyle(row).direction === "rtl" ? !right : right;
  }

  // Only the grip drags: text in the row can still be marked.
  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest?.("[data-sortable-grip]");
    if (grip) item(grip).draggable = true;
  });
  document.addEventListener("pointerup", (event) => {
    const row = item(event.target);
    if (row && row !== dragged) row.draggable = false;
  });

  document.addEventListener("dragstart", (event) => {
    const row = item(event.target);
    if (!row || !row.draggable) return;
    dragged = row;
    before = rowsOf(row.parentElement);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.id);
    row.classList.add("is-dragged");
  });

  document.addEventListener("dragover", (event) => {
    const over = dragged && item(event.target);
    if (!dragged || !dragged.parentElement.contains(event.target)) return;
    event.preventDefault();
    if (!over || over === dragged) return;
    dragged.parentElement.insertBefore(dragged, isPast(over, event) ? over.nextElementSibling : over);
  });

  document.addEventListener("drop", (event) => {
    if (dragged && dragged.parentElement.contains(event.target)) event.preventDefault();
  });

  document.addEventListener("dragend", (event) => {
    if (!dragged) return;
    const row = dragged;
    dragged = null;
    row.draggable = false;
    row.classList.remove("is-dragged");
    const list = row.parentElement;
    // Dropped outside, or given up with Escape: as it was.
    if (event.dataTransfer.dropEffect === "none") return list.append(...before);
    const place = rowsOf(list).indexOf(row);
    if (place === before.indexOf(row)) return;
    const field = row.querySelector("[data-sortable-place]");
    field.disabled = false;
    field.value = String(place);
    field.form.requestSubmit();
  });
})();
