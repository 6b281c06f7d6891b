// What the console's pages do in the browser: stay live, keys, theme. Everything else works without it.
"use strict";

const body = document.body;
const base = body.dataset.base;

// --- live: the server sends the page's live block whenever it has changed ---------------------------------

const live = document.querySelector("[data-live]");
const connection = document.querySelector("[data-connection]");
let source = null;
let waiting = null; // a fragment that came while somebody was busy with the old one

function connect() {
  if (source || document.hidden || !live || live.dataset.live === "off") return;
  source = new EventSource(`${base}/live?of=${encodeURIComponent(body.dataset.here)}`);
  source.addEventListener("open", () => (connection.textContent = ""));
  source.addEventListener("error", () => (connection.textContent = "reconnecting…"));
  source.addEventListener("leave", () => location.reload());
  source.addEventListener("fragment", (event) => show(event.data));
}

function disconnect() {
  source?.close();
  source = null;
}

// Somebody selects text, has a menu open or types in the live part: not now.
function isBusy() {
  const selection = document.getSelection();
  const selecting = selection && !selection.isCollapsed && live.contains(selection.anchorNode);
  const typing = live.contains(document.activeElement) && document.activeElement.matches("input[type=text], input[type=search], input[type=number], textarea, select");
  return selecting || typing || live.querySelector("dialog[open]") !== null;
}

function show(html) {
  waiting = html;
  if (isBusy()) return;
  Idiomorph.morph(live, html, {
    morphStyle: "innerHTML",
    ignoreActiveValue: true,
    callbacks: {
      // What the reader did to the page stays: ticked rows, unfolded details.
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")) && !(name === "checked" && node.matches("[data-pick]")),
    },
  });
  waiting = null;
  htmx.process(live);
  document.dispatchEvent(new CustomEvent("durably:live"));
}

document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
document.addEventListener("selectionchange", () => waiting && !isBusy() && show(waiting));
document.addEventListener("focusout", () => waiting && setTimeout(() => waiting && !isBusy() && show(waiting), 0));
window.addEventListener("pagehide", disconnect);
connect();

// --- keys: g and a letter goes to a page; other letters press what carries them ---------------------------

let going = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const target = going ? document.querySelector(`[data-go="${CSS.escape(event.key)}"]`) : document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  going = !going && event.key === "g";
  if (!target) return;
  event.preventDefault();
  target.matches("input, select, textarea") ? target.focus() : target.click();
});

// --- rows: j and k move, Enter opens, x picks, Shift+A picks all on the page ------------------------------

let current = null; // the id of the row that the keys are at

function rowsHere() {
  return [...document.querySelectorAll("tr[data-row]")];
}

function mark() {
  for (const row of rowsHere()) row.toggleAttribute("data-current", row.id === current);
  const picks = document.querySelectorAll("[data-pick]:checked").length;
  const bulk = document.querySelector("[data-bulk]");
  if (!bulk) return;
  bulk.classList.toggle("has-picks", picks > 0);
  bulk.querySelector("[data-picked]").textContent = picks ? `${picks} picked` : "All that match";
}

function move(by) {
  const rows = rowsHere();
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.id === current);
  const row = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  current = row.id;
  row.scrollIntoView({ block: "nearest" });
  mark();
}

function pickAll() {
  const picks = [...document.querySelectorAll("[data-pick]")];
  const every = picks.every((pick) => pick.checked);
  for (const pick of picks) pick.checked = !every;
  mark();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([data-pick]), textarea, select, button, a")) return;
  const row = current && document.getElementById(current);
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "Enter" && row) row.querySelector("[data-open]")?.click();
  else if (event.key === "x" && row) row.querySelector("[data-pick]")?.click();
  else if (event.key === "A") pickAll();
});

document.addEventListener("change", (event) => event.target.matches("[data-pick]") && mark());
document.addEventListener("durably:live", mark);
mark();

// --- theme ------------------------------------------------------------------------------------------------

document.querySelector("[data-theme-toggle]")?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `durably_theme=${root.dataset.theme}; path=${base || "/"}; max-age=31536000; samesite=strict`;
});

// --- copy: what a button carries goes on the clipboard -------------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const word = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = word), 1200);
});

// --- menus close on Escape, and when somebody clicks elsewhere -------------------------------------------------

function closeMenus(besides) {
  for (const menu of document.querySelectorAll("details.more[open], details.menu[open]")) if (!menu.contains(besides)) menu.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenus(null));
