"use strict";
// Sorting and searching of tables. Without it all rows are there, in the order of the page.
const key = (row, column) => {
  const cell = row.cells[column];
  const text = cell.dataset.sort ?? cell.textContent.trim();
  const number = Number(text);
  return text !== "" && Number.isFinite(number) ? number : text.toLocaleLowerCase();
};
const compare = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en-GB", { numeric: true });
};
const makeSortable = (table, say) => {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // counts are asked for from the largest on, names from A
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const now = head.getAttribute("aria-sort") === first ? other : first;
      for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", now);
      const rows = [...body.rows].map((row) => [key(row, column), row]);
      rows.sort((a, b) => (now === "ascending" ? 1 : -1) * compare(a[0], b[0]));
      body.append(...rows.map((pair) => pair[1]));
      say(`Sorted by ${button.textContent.trim()}, ${now}.`);
    });
  });
};
const makeSearchable = (table, number, say) => {
  const what = table.dataset.what;
  const box = document.createElement("div");
  box.className = "search";
  const input = document.createElement("input");
  input.type = "search";
  input.id = `search-${number}`;
  input.autocomplete = "off";
  const label = document.createElement("label");
  label.htmlFor = input.id;
  label.textContent = `Search ${what}`;
  box.append(label, input);
  table.parentElement.before(box);
  const rows = [...table.tBodies[0].rows];
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    say(`${shown} of ${rows.length} ${what} shown.`);
  });
};
document.querySelectorAll("table.sortable").forEach((table, number) => {
  const told = document.createElement("p");
  told.className = "hidden";
  told.setAttribute("role", "status");
  table.parentElement.after(told);
  const say = (text) => { told.textContent = text; };
  makeSortable(table, say);
  if (table.tBodies[0].rows.length > 5) makeSearchable(table, number, say);
});
