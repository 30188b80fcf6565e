// Draws one table from texts that Python has already formatted. Data enters the page through textContent and setAttribute
// only: a name such as "<img src=x onerror=…>" is shown as it is written. Sorting and paging are asked of the server.

const drawn = new WeakMap(); // per mounted table: what is on screen, and how to answer

export default function ({ parentElement, data, setTriggerValue }) {
  const box = parentElement.querySelector(".table-view");
  const before = drawn.get(box);
  const now = { text: JSON.stringify(data), send: setTriggerValue };
  drawn.set(box, now);
  if (before?.text === now.text) return; // a rerun that changed nothing keeps focus, scroll and an open explanation
  const send = (event, value) => drawn.get(box).send(event, value);
  const kept = place(box, before && JSON.parse(before.text), data);
  box.lang = data.language;
  box.replaceChildren(...(data.rows.length ? [table(data, send), hint()] : [element("p", "empty", data.empty)]));
  if (data.note) box.append(element("p", "note", data.note));
  if (data.pages) box.append(pager(data.pages, send));
  restore(box, kept);
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function table(data, send) {
  const scroll = element("div", "scroll");
  scroll.tabIndex = 0; // the keyboard scrolls what overflows
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", data.caption);
  const drawnTable = element("table");
  drawnTable.append(element("caption", "unseen", data.caption));
  const head = element("thead");
  const labels = element("tr");
  data.columns.forEach((column, at) => labels.append(heading(column, at, send)));
  head.append(labels);
  if (data.total) head.append(row({ cells: data.total, links: {} }, data, send, "total"));
  const body = element("tbody");
  data.rows.forEach((each) => body.append(row(each, data, send, "")));
  drawnTable.append(head, body);
  if (data.bar !== null) {
    const digits = Math.max(...data.rows.map((each) => each.cells[data.bar].length));
    drawnTable.style.setProperty("--digits", digits);
  }
  scroll.append(drawnTable);
  return scroll;
}

function heading(column, at, send) {
  const cell = element("th", column.kind);
  cell.scope = "col";
  const label = element("span", column.meaning ? "label explained" : "label", column.label);
  let inner = label;
  if (column.sortable) {
    cell.setAttribute("aria-sort", column.sorted ?? "none");
    inner = element("button");
    inner.type = "button";
    const arrow = element("span", "arrow", { ascending: "↑", descending: "↓" }[column.sorted] ?? "↕");
    arrow.setAttribute("aria-hidden", "true");
    inner.append(label, arrow);
    inner.addEventListener("click", () => send("sort", column.name));
  } else if (column.meaning) {
    inner = element("span");
    inner.tabIndex = 0;
    inner.append(label);
  }
  inner.dataset.place = `heading ${column.name}`;
  cell.append(inner);
  if (column.meaning) {
    const meaning = element("span", "unseen", column.meaning);
    meaning.id = `meaning-${at}`;
    cell.append(meaning);
    inner.setAttribute("aria-describedby", meaning.id);
    explain(inner, cell, column.meaning);
  }
  return cell;
}

function row(each, data, send, className) {
  const drawnRow = element("tr", className);
  if (each.marked) drawnRow.setAttribute("aria-current", "true");
  each.cells.forEach((text, at) => {
    const column = data.columns[at];
    const cell = element(at ? "td" : "th", column.kind);
    if (!at) cell.scope = "row";
    if (text === column.missing) cell.classList.add("none");
    if (at === data.bar && each.bar !== undefined) {
      cell.classList.add("bar");
      cell.style.setProperty("--fraction", each.bar);
    }
    const href = each.links[at];
    if (href === undefined) cell.textContent = text;
    else {
      const link = element("a", "", text);
      link.setAttribute("href", href);
      link.dataset.place = `link ${each.id} ${column.name}`;
      if (data.picks) {
        link.addEventListener("click", (event) => {
          // Only the plain click stays in the session; with a key held, the browser opens its tab or window.
          if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
          event.preventDefault();
          send("pick", { row: each.id, column: column.name, href });
        });
      }
      cell.append(link);
    }
    if (!at && each.marked) cell.append(element("span", "unseen", ` (${data.marked})`));
    drawnRow.append(cell);
  });
  return drawnRow;
}

function pager(pages, send) {
  const bar = element("div", "pager");
  const text = element("span", "", pages.text);
  text.setAttribute("role", "status");
  bar.append(text);
  for (const [place, label, to] of [["previous", pages.previous, pages.number - 1], ["next", pages.next, pages.number + 1]]) {
    const button = element("button", "", label);
    button.type = "button";
    button.dataset.place = place;
    // Not `disabled`: that would drop the focus of a reader who pages with the keyboard to the end.
    const usable = to >= 1 && to <= pages.last;
    button.setAttribute("aria-disabled", String(!usable));
    if (usable) button.addEventListener("click", () => send("turn", to));
    bar.append(button);
  }
  return bar;
}

// The explanation lies in the top layer, since the scrolling box would cut it.
function hint() {
  const made = element("div", "hint");
  made.setAttribute("popover", "manual");
  made.setAttribute("aria-hidden", "true"); // read through aria-describedby
  return made;
}

function explain(over, cell, text) {
  const shownHint = () => cell.closest(".table-view").querySelector(".hint");
  const open = () => {
    const at = cell.getBoundingClientRect();
    const shown = shownHint();
    shown.textContent = text;
    shown.showPopover();
    shown.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - shown.offsetWidth - 8))}px`;
    shown.style.top = `${at.bottom + 4}px`;
  };
  const close = () => shownHint()?.hidePopover();
  cell.addEventListener("pointerenter", open);
  cell.addEventListener("pointerleave", close);
  over.addEventListener("focus", () => over.matches(":focus-visible") && open()); // a click by mouse asks for no explanation
  over.addEventListener("blur", close);
  over.addEventListener("keydown", (event) => event.key === "Escape" && close());
}

// Where the reader was: the control in use and how far the table is scrolled. Other rows begin at their top.
function place(box, before, data) {
  const scroll = box.querySelector(".scroll");
  const same = before && JSON.stringify(before.rows.map((each) => each.id)) === JSON.stringify(data.rows.map((each) => each.id));
  return {
    focus: box.getRootNode().activeElement?.dataset.place,
    left: scroll?.scrollLeft ?? 0,
    top: same ? scroll?.scrollTop ?? 0 : 0,
  };
}

function restore(box, kept) {
  const scroll = box.querySelector(".scroll");
  // To ask for the place that a fresh table has anyway would make the browser lay out all rows at once.
  if (kept.left) scroll?.scrollTo({ left: kept.left });
  if (kept.top) scroll?.scrollTo({ top: kept.top });
  if (!kept.focus) return;
  const control = [...box.querySelectorAll("[data-place]")].find((each) => each.dataset.place === kept.focus);
  control?.focus({ preventScroll: true });
  box.querySelector(".hint")?.hidePopover(); // it was read before the click, and would lie over the rows now asked for
}
