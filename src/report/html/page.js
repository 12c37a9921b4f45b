
"use strict";
// Everything that comes from the report is set as text: nothing here makes markup from it.
(() => {
  const PAGE = 100;
  const byId = (id) => document.getElementById(id);
  const rows = JSON.parse(byId("data").textContent);
  const numbers = new Intl.NumberFormat("en");
  const tones = new Map(Array.from(document.querySelectorAll("#statuses ~ table .status"), (mark) => [mark.textContent, mark.className]));
  const state = { found: rows, page: 0 };

  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const bytes = (size) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = 0;
    while (size >= 1024 && unit < units.length - 1) { size /= 1024; unit += 1; }
    return unit === 0 ? `${size} B` : `${size.toFixed(2)} ${units[unit]}`;
  };

  // What is searched: every text of the row, with the keys where they are not the paths.
  const haystacks = rows.map((row) =>
    [row.column, row.key, row.legacy, row.modern, row.source, row.target, row.source_etag, row.target_etag, row.sha256, row.proof, row.detail]
      .filter(Boolean).join("\n").toLowerCase());

  const more = (row) => {
    const facts = [
      ["source key", row.source || (row.legacy && row.source_etag ? row.legacy : "")],
      ["target key", row.target || (row.modern && row.target_etag ? row.modern : "")],
      ["source ETag", row.source_etag],
      ["target ETag", row.target_etag],
      ["SHA-256", row.sha256],
      ["proved by", row.proof],
    ].filter(([, value]) => value);
    if (facts.length === 0) return null;
    const details = make("details");
    details.append(make("summary", "", "keys and ETags"));
    const list = make("dl");
    for (const [name, value] of facts) {
      const dd = make("dd");
      dd.append(make("bdi", "", value));
      list.append(make("dt", "", name), dd);
    }
    details.append(list);
    return details;
  };

  const line = (row) => {
    const tr = make("tr");
    const status = make("td");
    status.append(make("span", tones.get(row.status) || "status", row.status));
    const place = make("td");
    if (row.column) {
      const key = make("span", "under");
      key.append(make("bdi", "", row.key || ""));
      place.append(row.column, key);
    } else {
      place.append(make("span", "soft", "no row"));
    }
    const path = make("td");
    path.append(make("bdi", "path", row.legacy || row.source || ""), make("bdi", "path after", row.modern || row.target || ""));
    const size = make("td", "number");
    size.textContent = row.size === undefined ? "" : bytes(row.size);
    const detail = make("td");
    detail.append(row.detail || "");
    const facts = more(row);
    if (facts) detail.append(facts);
    tr.append(status, place, path, size, detail);
    return tr;
  };

  const show = () => {
    const pages = Math.max(1, Math.ceil(state.found.length / PAGE));
    state.page = Math.min(Math.max(0, state.page), pages - 1);
    const first = state.page * PAGE;
    const part = state.found.slice(first, first + PAGE);
    byId("list").replaceChildren(...part.map(line));
    const some = state.found.length === 1 ? "1 row" : `${numbers.format(state.found.length)} rows`;
    byId("found").textContent = state.found.length === 0 ? "No row of this page fits." :
      `${some}${state.found.length < rows.length ? ` of ${numbers.format(rows.length)} fit` : ""}, from ${numbers.format(first + 1)} to ${numbers.format(first + part.length)} below.`;
    byId("place").textContent = `Page ${numbers.format(state.page + 1)} of ${numbers.format(pages)}`;
    byId("before").disabled = state.page === 0;
    byId("after").disabled = state.page === pages - 1;
    byId("pager").hidden = pages === 1;
  };

  const filter = () => {
    const words = byId("search").value.toLowerCase().trim();
    const column = byId("column").value;
    const wanted = new Set(Array.from(document.querySelectorAll("#chips input:checked"), (box) => box.value));
    state.found = rows.filter((row, at) =>
      (wanted.size === 0 || wanted.has(row.status)) && (column === "" || row.column === column) && haystacks[at].includes(words));
    state.page = 0;
    show();
  };

  const turn = (by) => {
    state.page += by;
    show();
    byId("rows").scrollIntoView();
    // A button that has just been disabled would lose the focus.
    if (document.activeElement === document.body) byId("rows").focus();
  };

  const chips = () => {
    const counts = new Map();
    for (const row of rows) counts.set(row.status, (counts.get(row.status) || 0) + 1);
    for (const [status, count] of counts) {
      const chip = make("label", `chip ${(tones.get(status) || "").replace("status", "")}`);
      const box = make("input");
      box.type = "checkbox";
      box.value = status;
      chip.append(box, make("b", "", status), numbers.format(count));
      byId("chips").append(chip);
    }
  };

  const columns = () => {
    for (const name of [...new Set(rows.map((row) => row.column).filter(Boolean))].sort()) {
      const option = make("option", "", name);
      option.value = name;
      byId("column").append(option);
    }
  };

  const theme = () => {
    const button = byId("theme");
    const asked = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (document.documentElement.dataset.theme || (asked.matches ? "dark" : "light")) === "dark";
    const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; name(); });
    asked.addEventListener("change", name);
    button.setAttribute("aria-description", "Colours of this page");
    name();
    button.hidden = false;
  };

  theme();
  if (rows.length === 0) return;
  chips();
  columns();
  const form = byId("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  byId("all").addEventListener("click", () => { form.reset(); filter(); });
  byId("before").addEventListener("click", () => turn(-1));
  byId("after").addEventListener("click", () => turn(1));
  form.hidden = false;
  show();
})();
