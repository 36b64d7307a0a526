// Refreshes the page when its stream says that something changed, and keeps a form from being sent twice.
"use strict";

const PATIENCE = 20 * 60 * 1000; // an unattended screen stops asking, so that the session can end (30 minutes idle)
let lastSeen = Date.now();
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { lastSeen = Date.now(); }, { passive: true });

async function refresh() {
  if (Date.now() - lastSeen > PATIENCE || document.hidden || document.querySelector("form[data-sent]")) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) { location.reload(); return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = moving(page), old = moving(document);
  if (now && old && !old.contains(document.activeElement) && !isTouched(old)) old.replaceWith(now);
}

// What is replaced: the part that says so, or all that is under the menu.
function moving(page) { return page.getElementById("refresh") ?? page.getElementById("main"); }

// Nothing that somebody typed or opened is taken away.
function isTouched(part) {
  const fields = [...part.querySelectorAll("input, textarea, select")];
  return fields.some(isChanged) || part.querySelector("details[open], dialog[open]") !== null;
}

function isChanged(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const first = [...field.options].findIndex((one) => one.defaultSelected);
  return field.selectedIndex !== Math.max(first, 0);
}

const live = document.querySelector("[data-live]");
if (live) {
  const source = new EventSource(live.dataset.live);
  source.addEventListener("changed", refresh);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  setInterval(refresh, 60 * 1000); // waiting times grow even when nothing happens
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
});
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });
