"use strict";
// The report's own script: the page is whole without it. It sets texts and attributes only, never markup.

// Numbers before texts, what is missing last whatever the direction.
function compare(a, b, down) {
  const gone = (v) => v === null || v === undefined || v === "";
  if (gone(a) || gone(b)) return gone(a) - gone(b);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  const order = typeof a === "number" ? a - b : String(a) < String(b) ? -1 : a === b ? 0 : 1;
  return down ? -order : order;
}

// `lr<0.01 optimizer=adam crashed`: every word has to hold; one that names no column is looked for in the row.
function parse(filter, names) {
  return filter.trim().split(/\s+/).filter(Boolean).map((word) => {
    const parts = /^(.+?)(<=|>=|!=|=|<|>)(.+)$/.exec(word);
    const at = parts ? names.indexOf(parts[1]) : -1;
    if (at < 0) return { text: word.toLowerCase() };
    return { at, how: parts[2], value: parts[3] };
  });
}

function matches(tests, cells, text) {
  return tests.every((test) => {
    if (test.text !== undefined) return text.toLowerCase().includes(test.text);
    const cell = cells[test.at];
    if (cell === null || cell === undefined) return test.how === "!=";
    const number = Number(test.value);
    const both = typeof cell === "number" && !Number.isNaN(number);
    const order = both ? cell - number : String(cell).toLowerCase() === test.value.toLowerCase() ? 0 : NaN;
    if (test.how === "=") return order === 0;
    if (test.how === "!=") return order !== 0;
    if (test.how === "<") return order < 0;
    if (test.how === ">") return order > 0;
    return test.how === "<=" ? order <= 0 : order >= 0;
  });
}

function start(page) {
  const source = page.getElementById("report-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const texts = new Map(data.trials.map((trial) => [String(trial.n), trial.text]));
  const cells = new Map(data.trials.map((trial) => [String(trial.n), trial.cells]));
  const chosen = new Set();
  const make = (tag, attributes, text) => {
    const element = page.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const marks = (n) => page.querySelectorAll(`[data-n="${Number(n)}"]`);
  const words = (n) => texts.get(n) || `Trial ${n}: not among those that this page has in full`;

  const tip = make("div", { id: "tip", class: "tip", hidden: "" });
  const panel = make("aside", { id: "chosen", class: "chosen", role: "status", "aria-live": "polite", hidden: "" });
  page.body.append(tip, panel);
  let hot = null;

  function warm(n, x, y) {
    if (hot !== null && hot !== n) marks(hot).forEach((mark) => mark.classList.remove("hot"));
    hot = n;
    tip.hidden = n === null;
    if (n === null) return;
    marks(n).forEach((mark) => mark.classList.add("hot"));
    tip.textContent = words(n);
    const room = page.documentElement.clientWidth - 340;
    tip.style.left = `${Math.max(8, Math.min(x + 14, room))}px`;
    tip.style.top = `${y + 16}px`;
  }

  function choose(n) {
    const now = !chosen.delete(n);
    if (now) chosen.add(n);
    marks(n).forEach((mark) => {
      mark.classList.toggle("chosen-mark", now);
      if (mark.tagName.toLowerCase() === "tr") mark.setAttribute("aria-selected", String(now));
    });
    show();
  }

  function show() {
    panel.replaceChildren();
    panel.hidden = chosen.size === 0;
    if (panel.hidden) return;
    [...chosen].slice(-4).forEach((n) => panel.append(make("p", {}, words(n))));
    if (chosen.size > 4) panel.append(make("p", {}, `and ${chosen.size - 4} more`));
    const clear = make("button", { type: "button" }, "clear (Escape)");
    clear.addEventListener("click", forget);
    panel.append(clear);
  }

  function forget() {
    [...chosen].forEach(choose);
    warm(null);
  }

  const trialAt = (target) => {
    const mark = target && target.closest ? target.closest("[data-n]") : null;
    return mark ? mark.getAttribute("data-n") : null;
  };
  page.addEventListener("mouseover", (event) => {
    const n = trialAt(event.target);
    const row = event.target.closest && event.target.closest("tr");
    warm(row ? null : n, event.clientX, event.clientY);
  });
  page.addEventListener("click", (event) => {
    if (event.target.closest && event.target.closest("summary, a, button, input, label")) return;
    const n = trialAt(event.target);
    if (n !== null) choose(n);
  });

  // By keyboard: a picture or a row has the focus; arrows go from trial to trial, Enter chooses.
  page.querySelectorAll("svg[data-trials]").forEach((picture) => picture.setAttribute("tabindex", "0"));
  page.querySelectorAll("tr[data-n]").forEach((row) => row.setAttribute("tabindex", "0"));
  page.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return forget();
    const row = event.target.closest && event.target.closest("tr[data-n]");
    const picture = event.target.closest && event.target.closest("svg[data-trials]");
    if (row && event.target === row && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      choose(row.getAttribute("data-n"));
    } else if (row && event.target === row && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      let next = row;
      do next = event.key === "ArrowDown" ? next.nextElementSibling : next.previousElementSibling;
      while (next && next.hidden);
      if (next) {
        event.preventDefault();
        next.focus();
      }
    } else if (picture && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      event.preventDefault();
      const seen = new Set([...picture.querySelectorAll("[data-n]")].map((mark) => mark.getAttribute("data-n")));
      const numbers = [...seen].sort((a, b) => a - b);
      const at = numbers.indexOf(hot) + (event.key === "ArrowRight" ? 1 : -1);
      const n = numbers[(at + numbers.length) % numbers.length];
      const box = picture.getBoundingClientRect();
      if (n !== undefined) warm(n, box.left, box.bottom - 40);
    } else if (picture && event.key === "Enter" && hot !== null) {
      choose(hot);
    }
  });

  page.querySelectorAll("table[data-sortable]").forEach((table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head) => {
      const at = data.columns.indexOf(head.getAttribute("data-column"));
      if (at < 0) return;
      const button = make("button", { type: "button", class: "sort" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const cell = (row) => (cells.get(row.getAttribute("data-n")) || [])[at];
        rows.sort((a, b) => compare(cell(a), cell(b), down));
        body.append(...rows);
      });
    });
    const label = make("label", { class: "tool" }, "Filter ");
    const field = make("input", { type: "search", placeholder: `completed  ${data.columns[2]}>0.9`, size: "34" });
    const count = make("span", { class: "soft", role: "status" });
    label.append(field);
    table.parentElement.before(label, count);
    field.addEventListener("input", () => {
      const tests = parse(field.value, data.columns);
      let left = 0;
      rows.forEach((row) => {
        const n = row.getAttribute("data-n");
        row.hidden = !matches(tests, cells.get(n) || [], row.textContent);
        left += row.hidden ? 0 : 1;
      });
      count.textContent = ` ${left} of ${rows.length} rows`;
    });
  });

  // What kinds of trials a picture shows.
  page.querySelectorAll("figure[data-kinds]").forEach((figure) => {
    const bar = make("div", { class: "tools" });
    const toggle = (text, on, act) => {
      const label = make("label", { class: "tool" });
      const box = make("input", { type: "checkbox" });
      box.checked = on;
      box.addEventListener("change", () => act(box.checked));
      label.append(box, ` ${text}`);
      bar.append(label);
    };
    figure.getAttribute("data-kinds").split(" ").filter(Boolean).forEach((kind) => {
      toggle(kind, true, (on) => {
        figure.querySelectorAll(`svg .${kind}`).forEach((mark) => mark.classList.toggle("off", !on));
      });
    });
    toggle("only the selected", false, (on) => figure.classList.toggle("only", on));
    figure.prepend(bar);
  });

  const view = page.defaultView;
  let opened = [];
  view.addEventListener("beforeprint", () => {
    opened = [...page.querySelectorAll("details:not([open])")];
    opened.forEach((part) => part.setAttribute("open", ""));
  });
  view.addEventListener("afterprint", () => opened.forEach((part) => part.removeAttribute("open")));
}

if (typeof document === "undefined") module.exports = { compare, parse, matches, start };
else start(document);
