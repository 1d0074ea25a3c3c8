// The page of an item by keyboard: moving, answering, the preview of what follows, saving and the next item at once.
// The form is the only memory: what it holds is what is sent. Without this script it is sent by its buttons.

const main = document.getElementById("main");
const byId = (id) => document.getElementById(id);
const quote = (text) => CSS.escape(text);
const say = (text, loud = false, link = null) => dispatchEvent(new CustomEvent("say", { detail: { text, loud, link } }));
const token = () => document.querySelector('meta[name="csrf-token"]').content;

let current = null; // the field whose line is shown
let busy = false;
let isDone = false; // the last answer is saved, and another page comes
let asking = null; // the preview that is under way
let waiting = 0;
let renewing = 0;

const review = () => byId("review");
const form = () => byId("answers");
const lines = () => [...main.querySelectorAll(".one")];
const lineOf = (field) => main.querySelector(`.one[data-f="${quote(field)}"]`);
const cellOf = (field) => main.querySelector(`#form-pane .c[data-f="${quote(field)}"]`);
const selectIn = (line) => {
  const select = line.querySelector("select");
  if (select.options.length === 1) { // one of very many: its options stand on the page once
    select.append(...byId("actions").content.cloneNode(true).children);
    if (line.dataset.accept === "0") select.querySelector('[value="accepted"]').remove();
  }
  return select;
};
const said = (line) => line.querySelector("select").value;
const inputIn = (line) => line.querySelector("input") ?? document.createElement("input"); // none for a whole document
const isInCell = () => document.activeElement?.closest?.("#form-pane .c") != null;

// ---------------------------------------------------------------- where one is

function show(field, { focus = true, scroll = true } = {}) {
  current = field;
  for (const line of lines()) line.classList.toggle("now", line.dataset.f === field);
  for (const cell of main.querySelectorAll("#form-pane .c.now")) {
    cell.classList.remove("now");
    cell.tabIndex = -1;
  }
  const cell = cellOf(field);
  if (!cell) return;
  cell.classList.add("now");
  cell.tabIndex = 0;
  if (focus) cell.focus({ preventScroll: true });
  if (scroll) reveal(cell, byId("form-pane"));
  lightUp(cell);
}

// Scrolls only the pane that an element is in, and only when it is not well in sight.
function reveal(element, pane) {
  if (!pane) return;
  const inner = element.getBoundingClientRect();
  const outer = pane.getBoundingClientRect();
  if (inner.left < outer.left + 20 || inner.right > outer.right - 20) { // an enlarged page, a narrow window
    pane.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  }
  if (pane.scrollHeight <= pane.clientHeight + 4) return;
  const margin = Math.min(60, outer.height / 4);
  if (inner.top < outer.top + margin || inner.bottom > outer.bottom - margin) {
    pane.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
  }
}

// At first: near the top, so that what is asked about below it is in sight, too.
function raise(cell) {
  const pane = byId("form-pane");
  if (!cell || pane.scrollHeight <= pane.clientHeight + 4) return;
  const table = cell.closest("table").getBoundingClientRect();
  const inner = cell.getBoundingClientRect();
  const outer = pane.getBoundingClientRect();
  const isFar = inner.top - table.top > outer.height / 2;
  pane.scrollTop += (isFar ? inner.top - outer.height / 3 : table.top - 34) - outer.top;
}

function lightUp(cell) {
  for (const old of main.querySelectorAll("mark.now, rect.now")) old.classList.remove("now");
  const spans = (cell.dataset.s ?? "").split(" ").filter(Boolean).map((span) => span.split("-").map(Number));
  const own = new Set((cell.dataset.s ?? "").split(" "));
  const lit = [...main.querySelectorAll("mark")].filter((mark) =>
    spans.some(([start, end]) => Number(mark.dataset.a) >= start && Number(mark.dataset.b) <= end));
  const boxes = [...main.querySelectorAll("rect")].filter((rect) => own.has(rect.dataset.s));
  for (const element of [...lit, ...boxes]) element.classList.add("now");
  const shown = main.querySelector(".panel.shown");
  const first = [...lit, ...boxes, ...findNear(cell)].find((element) => shown?.contains(element));
  if (first) reveal(first, shown);
}

// What was not read stands nowhere: then where the question points to, else behind the last cell that was read.
function findNear(cell) {
  if (cell?.dataset.s) return [];
  const pointed = [...main.querySelectorAll("mark.m-asked, rect.b-asked")];
  if (pointed.length) return pointed;
  const cells = [...main.querySelectorAll("#form-pane .c[data-f]")];
  const before = cells.slice(0, cells.indexOf(cell)).reverse().find((other) => other.dataset.s);
  if (!before) return [];
  const [start, end] = before.dataset.s.split(" ")[0].split("-");
  return [...main.querySelectorAll(`mark[data-a="${start}"], rect[data-s^="${start}-${end}"]`)];
}

function toQuestion() {
  for (const cell of main.querySelectorAll("#form-pane .c.now")) cell.blur();
  main.focus({ preventScroll: true });
}

function step(by) {
  const fields = lines().map((line) => line.dataset.f);
  if (!fields.length) return;
  const at = fields.indexOf(current);
  const next = !isInCell() && at >= 0 && by > 0 ? at : at + by;
  show(fields[Math.max(0, Math.min(fields.length - 1, next))]);
}

function move(key) {
  const cell = document.activeElement?.closest?.("#form-pane .c") ?? (current && cellOf(current));
  if (!cell) {
    const first = lines()[0]?.dataset.f ?? main.querySelector("#form-pane .c[data-f]")?.dataset.f;
    return first && show(first);
  }
  const rows = [...byId("form-pane").querySelectorAll("tr")]
    .map((row) => [...row.querySelectorAll(".c[data-f]")]).filter((cells) => cells.length);
  const row = rows.findIndex((cells) => cells.includes(cell));
  const column = rows[row].indexOf(cell);
  const [down, across] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
  const target = rows[Math.max(0, Math.min(rows.length - 1, row + down))];
  show(target[Math.max(0, Math.min(target.length - 1, column + across))].dataset.f);
}

// ---------------------------------------------------------------- answers

function lineForAnswer() {
  if (!current || !lineOf(current)) {
    const first = lines()[0];
    if (first && !isInCell()) show(first.dataset.f);
    else return null;
  }
  return lineOf(current);
}

function answer(action, text = "") {
  const line = lineForAnswer();
  if (!line) return;
  const select = selectIn(line);
  if (![...select.options].some((option) => option.value === action)) return say(review().dataset.sayNotRead, true);
  select.value = action;
  inputIn(line).value = text;
  touch(line);
  const open = lines().slice(lines().indexOf(line) + 1).find((other) => !said(other));
  if (open) show(open.dataset.f);
}

function touch(line) {
  inputIn(line).classList.toggle("filled", inputIn(line).value !== "");
  preview();
}

function write(text) {
  const line = lineForAnswer();
  if (!line) return;
  const input = inputIn(line);
  if (text !== null) input.value = text;
  input.focus();
  if (text === null) input.select();
  else changed(line);
}

function changed(line) {
  const select = selectIn(line);
  if (inputIn(line).value.trim() === "") {
    if (select.value === "corrected") select.value = "";
  } else if (select.value !== "source_wrong") {
    select.value = "corrected";
  }
  touch(line);
}

function nextProposal() {
  const line = lineForAnswer();
  const texts = [...(line?.querySelectorAll(".proposal") ?? [])].map((button) => button.dataset.text);
  if (!texts.length) return say(review().dataset.sayNone, true);
  const input = inputIn(line);
  input.value = texts[(texts.indexOf(input.value) + 1) % texts.length];
  changed(line);
}

function choose(button) {
  const chosen = form().elements.chosen;
  chosen.value = chosen.value === button.value ? "" : button.value;
  for (const other of form().querySelectorAll(".choice")) other.setAttribute("aria-pressed", String(other.value === chosen.value));
  preview();
}

function clear() {
  const line = current && lineOf(current);
  if (!line) return;
  selectIn(line).value = "";
  inputIn(line).value = "";
  touch(line);
}

// The address and the form both say among which questions one goes on.
function stay() {
  const button = byId("stay");
  if (!button) return;
  const field = form().elements.among;
  const isStaying = button.getAttribute("aria-pressed") !== "true";
  const filter = new URLSearchParams(field.dataset.staying);
  if (!isStaying) filter.delete("document");
  field.value = filter.toString();
  button.setAttribute("aria-pressed", String(isStaying));
  history.replaceState(null, "", `${location.pathname}${field.value ? `?${field.value}` : ""}`);
}

// What is typed and not saved outlives a change of the language, which is a new page.
const keptName = () => `kept:${review().dataset.item}:${form().elements.version.value}`;

function keep() {
  const data = collect();
  for (const name of ["csrf_token", "version", "among", "skipped"]) data.delete(name);
  if ([...data].some(([, value]) => value)) sessionStorage.setItem(keptName(), data.toString());
}

function restore() {
  const kept = sessionStorage.getItem(keptName());
  sessionStorage.removeItem(keptName());
  for (const [name, value] of new URLSearchParams(kept ?? "")) {
    const element = form().elements[name];
    if (!element) continue;
    const line = element.closest(".one");
    if (line) selectIn(line);
    element.value = value;
    if (name.startsWith("txt:")) element.classList.toggle("filled", value !== "");
  }
  for (const other of form().querySelectorAll(".choice")) {
    other.setAttribute("aria-pressed", String(other.value === form().elements.chosen.value));
  }
}

// Only what is said is sent: the form of a whole table has hundreds of lines.
function collect(submitter) {
  const data = new FormData(form());
  for (const [name, value] of [...data]) if (value === "" && /^(act|txt):/.test(name)) data.delete(name);
  if (submitter?.name) data.set(submitter.name, submitter.value);
  return new URLSearchParams(data);
}

function preview() {
  clearTimeout(waiting);
  waiting = setTimeout(askPreview, 60);
}

async function askPreview() {
  asking?.abort();
  asking = new AbortController();
  try {
    const reply = await post(`/items/${review().dataset.item}/preview`, collect(), asking.signal);
    if (!reply.ok) return refuse(reply);
    const parts = new DOMParser().parseFromString(await reply.text(), "text/html");
    const pane = byId("form-pane");
    const wasInCell = isInCell();
    const top = pane.scrollTop;
    pane.replaceChildren(...parts.getElementById("new-form").childNodes);
    const effects = byId("effects");
    effects.replaceChildren(...parts.getElementById("new-effects").childNodes);
    effects.tabIndex = effects.scrollHeight > effects.clientHeight ? 0 : -1; // what scrolls can be reached by Tab
    pane.scrollTop = top;
    if (current) show(current, { focus: wasInCell, scroll: false });
  } catch (error) {
    if (error.name !== "AbortError") say(review().dataset.sayLost, true);
  }
}

// ---------------------------------------------------------------- sending

async function post(address, body, signal) {
  const request = () => fetch(address, {
    method: "POST", body, signal, redirect: "manual",
    headers: { "X-CSRF-Token": token(), "X-Fragment": "main", Accept: "text/html" },
  });
  const reply = await request();
  return reply.status === 403 && (await renewToken()) ? request() : reply;
}

// After a new login, in another window, this page still holds the token of the old one.
async function renewToken() {
  const reply = await fetch("/documents", { redirect: "manual" });
  if (!reply.ok) return false;
  const found = new DOMParser().parseFromString(await reply.text(), "text/html").querySelector('meta[name="csrf-token"]');
  const isNew = found.content !== token();
  document.querySelector('meta[name="csrf-token"]').content = found.content;
  return isNew;
}

function refuse(reply, html = "") {
  const texts = review().dataset;
  const isOut = reply.type === "opaqueredirect" || reply.status === 401 || reply.status === 403;
  if (isOut) say(texts.sayLogin, true, { href: "/login", text: texts.sayLoginLink });
  else say(reply.status === 409 ? texts.sayStale : texts.sayLost, true);
}

async function send(address, body) {
  if (busy) return;
  busy = true;
  clearTimeout(waiting);
  asking?.abort();
  try {
    const reply = await post(address, body);
    if (reply.headers.has("X-Go")) {
      isDone = true;
      sessionStorage.setItem("told", review().dataset.sayLast);
      location.assign(reply.headers.get("X-Go"));
      return;
    }
    const html = await reply.text();
    if (reply.headers.has("X-Gone")) {
      clearInterval(renewing);
      main.innerHTML = html;
      main.focus({ preventScroll: true });
      return;
    }
    if (!reply.headers.has("X-Item")) return refuse(reply);
    swap(html, reply.ok);
  } catch {
    say(review().dataset.sayLost, true);
  } finally {
    busy = false;
  }
}

function swap(html, isDone) {
  main.innerHTML = html;
  history.replaceState(null, "", review().dataset.url);
  document.title = review().dataset.title;
  begin();
  say(`${review().dataset.said} ${main.querySelector(".question h1").textContent}`);
  if (!isDone) say(review().dataset.said, true);
}

function save() {
  const texts = review().dataset;
  const empty = lines().find((line) => said(line) === "corrected" && inputIn(line).value.trim() === "");
  if (empty) {
    show(empty.dataset.f);
    return say(texts.sayEmpty, true);
  }
  if (!form().elements.chosen.value) {
    const open = lines().filter((line) => line.dataset.accept === "0" && !said(line));
    if (open.length) {
      show(open[0].dataset.f);
      return say(texts.sayMissing.replace("{count}", open.length), true);
    }
  }
  return send(form().action, collect(byId("save")));
}

const skip = () => send(byId("skip").formAction, collect());
const undo = () => {
  const last = byId("undo-last");
  if (last) send(last.action, new URLSearchParams(new FormData(last)));
};

// ---------------------------------------------------------------- the source

function openTab(tab, remember = true) {
  for (const other of main.querySelectorAll('[role="tab"]')) {
    other.setAttribute("aria-selected", String(other === tab));
    other.tabIndex = other === tab ? 0 : -1;
    byId(other.getAttribute("aria-controls")).classList.toggle("shown", other === tab);
  }
  if (remember) localStorage.setItem("pane", tab.id);
  const cell = current && cellOf(current);
  if (cell) lightUp(cell);
}

function turnTab(by) {
  const tabs = [...main.querySelectorAll('[role="tab"]')];
  const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  const next = tabs[(at + by + tabs.length) % tabs.length];
  openTab(next);
  return next;
}

function enlarge(isZoomed) {
  main.querySelector(".panel-page")?.classList.toggle("zoomed", isZoomed);
  byId("zoom")?.setAttribute("aria-pressed", String(isZoomed));
  localStorage.setItem("zoom", isZoomed ? "1" : "");
}

function zoom() {
  const button = byId("zoom");
  if (!button) return;
  enlarge(button.getAttribute("aria-pressed") !== "true");
  const cell = current && cellOf(current);
  if (cell) lightUp(cell);
}

// ---------------------------------------------------------------- keys and clicks

const KEYS = {
  j: () => step(1), k: () => step(-1),
  a: () => answer("accepted"), b: () => answer("blank"), s: () => answer("source_wrong"), x: () => answer("unknowable"),
  c: () => write(null), f: nextProposal, u: undo, n: skip, d: stay, z: zoom,
  o: () => byId("open-source")?.click(),
  t: () => turnTab(1),
  m: () => byId("note").focus(),
  h: () => { const past = byId("history"); if (past) past.open = !past.open; },
  Backspace: clear, Delete: clear, Escape: toQuestion,
};
const READING = new Set(["t", "z", "o", "h"]);
const MOVES = new Set(["j", "k", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]);

function pressInField(event) {
  const line = event.target.closest(".one");
  if (event.key === "Escape" || (event.key === "Enter" && event.target.tagName !== "SELECT")) {
    event.preventDefault();
    if (line) show(line.dataset.f);
    else toQuestion();
  }
}

// What a key says with Caps Lock on, or from a keyboard of full-width characters: １ is 1, Ａ and A are a.
const nameKey = (key) => (key.normalize("NFKC").length === 1 ? key.normalize("NFKC").toLowerCase() : key);

document.addEventListener("keydown", (event) => {
  if (!review() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.isComposing || event.keyCode === 229) return; // an input method is at work
  if (byId("help").open) return;
  if (event.target.matches("input, select, textarea")) return pressInField(event);
  if (event.repeat && !MOVES.has(event.key)) return;
  const isOnControl = event.target.closest("button, a, summary");
  if (isOnControl && (event.key === "Enter" || event.key === " ")) return;
  if (event.target.closest('[role="tab"]') && /^Arrow(Left|Right)$/.test(event.key)) {
    event.preventDefault();
    turnTab(event.key === "ArrowRight" ? 1 : -1).focus();
    return;
  }
  if (event.key.startsWith("Arrow") && event.target.closest(".panel")) return; // there they scroll
  const key = nameKey(event.key);
  if (event.key.startsWith("Arrow")) {
    event.preventDefault();
    move(event.key);
  } else if (!form()) { // a document to read
    if (READING.has(key)) KEYS[key]();
  } else if (event.key === "Enter") {
    event.preventDefault();
    save();
  } else if (/^[0-9]$/.test(key)) {
    const button = form().querySelector(`.choice[data-key="${key}"]`);
    event.preventDefault();
    if (isInCell()) write(key);
    else if (button) choose(button);
    else if (!form().querySelector(".choice")) write(key);
  } else if (Object.hasOwn(KEYS, key)) {
    event.preventDefault();
    KEYS[key]();
  }
});

document.addEventListener("click", (event) => {
  if (!review()) return;
  const hit = (selector) => event.target.closest(selector);
  const cell = hit("#form-pane .c[data-f]");
  const tab = hit('[role="tab"]');
  if (cell) show(cell.dataset.f, { scroll: false });
  else if (tab) openTab(tab);
  else if (hit("#zoom")) zoom();
  else if (hit("#stay")) stay();
  else if (hit(".choice")) { event.preventDefault(); choose(hit(".choice")); }
  else if (hit(".proposal")) { inputIn(hit(".one")).value = hit(".proposal").dataset.text; changed(hit(".one")); }
  else if (hit("[data-act]")) {
    const act = hit("[data-act]").dataset.act;
    if (act === "corrected") write(null);
    else if (act === "next_proposal") nextProposal();
    else answer(act);
  }
});

addEventListener("pagehide", () => { if (review() && form() && !isDone) keep(); });

document.addEventListener("submit", (event) => {
  if (event.target === form()) {
    event.preventDefault();
    if (event.submitter?.id === "skip") skip();
    else save();
  } else if (event.target.id === "undo-last") {
    event.preventDefault();
    undo();
  }
});

document.addEventListener("input", (event) => {
  const line = event.target.closest?.(".one");
  if (line && event.target.matches("input")) changed(line);
});
document.addEventListener("change", (event) => {
  const line = event.target.closest?.(".one");
  if (line && event.target.matches("select")) touch(line);
});

// ---------------------------------------------------------------- beginning

function begin() {
  current = null;
  const kept = byId(localStorage.getItem("pane") ?? "");
  const tab = kept?.matches('[role="tab"]') ? kept : main.querySelector('[role="tab"]');
  if (tab) openTab(tab, false);
  if (byId("zoom")) enlarge(localStorage.getItem("zoom") === "1");
  const field = lines()[0]?.dataset.f ?? main.querySelector("#form-pane .c[data-f]")?.dataset.f;
  const hasChoices = form()?.querySelector(".choice") != null;
  if (field && form()) {
    show(field, { focus: !hasChoices, scroll: false });
    raise(cellOf(field));
  }
  if (hasChoices || !field) main.focus({ preventScroll: true });
  if (form() && !cellOf(current ?? "")) {
    const shown = main.querySelector(".panel.shown");
    const first = findNear(null).find((element) => shown?.contains(element));
    if (first) reveal(first, shown);
  }
  clearInterval(renewing);
  if (!form()) return;
  restore();
  if (form().elements.chosen.value || lines().some((line) => said(line))) preview();
  renewing = setInterval(() => {
    if (!document.hidden) post(`/items/${review().dataset.item}/renew`, "");
  }, Number(review().dataset.renew));
}

begin();
