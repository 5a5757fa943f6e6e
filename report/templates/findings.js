"use strict";
// Filters, sorts and searches the table of findings. Without it the table stands whole, the worst first.
(() => {
  const table = document.getElementById("finding-table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const field = (name) => document.getElementById("filter-" + name);
  const count = document.getElementById("finding-count");
  document.getElementById("filters").hidden = false;

  const most = 30;
  const more = document.getElementById("more-rows");
  let all = rows.length <= most;
  const words = rows.map((row) => row.textContent.toLowerCase());
  const shown = () => {
    const severity = field("severity").value;
    const variant = field("variant").value;
    const search = field("search").value.trim().toLowerCase();
    const asked = severity || variant || search;
    let left = 0;
    rows.forEach((row, i) => {
      const fits =
        (!severity || row.dataset.severity === severity) &&
        (!variant || row.dataset.variants.split(" ").includes(variant)) &&
        (!search || words[i].includes(search));
      row.hidden = !fits;
      left += fits ? 1 : 0;
    });
    // Unless something was asked for, the first rows will do; on paper all of them stand there.
    let place = 0;
    for (const row of body.rows) row.classList.toggle("later", !all && !asked && !row.hidden && ++place > most);
    more.hidden = all || Boolean(asked);
    count.textContent = left + " of " + rows.length + (rows.length === 1 ? " row" : " rows");
  };
  for (const name of ["severity", "variant", "search"]) field(name).addEventListener("input", shown);

  const key = (row, column) => (column === 0 ? Number(row.dataset.rank) : row.cells[column].textContent.trim());
  for (const header of table.tHead.rows[0].cells) {
    const button = header.querySelector("button");
    if (!button) continue;
    button.addEventListener("click", () => {
      const column = header.cellIndex;
      const before = header.getAttribute("aria-sort");
      const up = before ? before === "descending" : column !== 0;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      const order = [...rows].sort((a, b) => {
        const x = key(a, column), y = key(b, column);
        const way = typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true });
        return up ? way : -way;
      });
      body.append(...order);
      shown();
    });
  }
  more.textContent = "Show all " + rows.length + " rows";
  more.addEventListener("click", () => {
    all = true;
    shown();
  });
  shown();
})();
