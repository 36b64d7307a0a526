// What every page does: one submit per form, fresh data when the page is looked at again, WeChat's buttons, small conveniences.

import { wx } from "./wxbridge.js";

const csrf = document.body.dataset.csrf;

/** A short message over the page. */
export function toast(text, milliseconds = 2600) {
  const box = document.getElementById("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, milliseconds);
}

/** A call of our own pages' server; throws an Error with `status`, the user's words, and those of single `fields`. */
export async function call(path, { method = "POST", json, body, type, headers: more = {}, within = 30000 } = {}) {
  const headers = { accept: "application/json", "x-csrf-token": csrf, ...more };
  if (json !== undefined) { headers["content-type"] = "application/json"; body = JSON.stringify(json); }
  if (type) headers["content-type"] = type;
  const patience = new AbortController(); // a network that died says nothing by itself
  const timer = setTimeout(() => patience.abort(), within);
  let response, answer;
  try {
    response = await fetch(path, { method, headers, body, credentials: "same-origin", signal: patience.signal });
    answer = response.status === 204 ? null : await response.json().catch(() => null);
  } catch {
    throw Object.assign(new Error("网络不通，请检查网络后重试"), { status: 0 });
  } finally {
    clearTimeout(timer);
  }
  if (answer?.code === "no_shift") location.assign(`/doctor/shift?next=${encodeURIComponent(location.pathname)}`);
  if (!response.ok) {
    throw Object.assign(new Error(answer?.detail ?? "操作没有成功，请稍后再试"), { status: response.status, code: answer?.code ?? "", fields: answer?.fields ?? {} });
  }
  return answer;
}

/** A question over the page; true when the user says yes. */
function confirmed(question, yes) {
  if (!window.HTMLDialogElement) return Promise.resolve(window.confirm(question));
  return new Promise((done) => {
    const dialog = document.createElement("dialog");
    dialog.className = "question";
    const words = document.createElement("p");
    words.textContent = question;
    const keys = document.createElement("div");
    for (const [label, value] of [["再想想", ""], [yes, "yes"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => dialog.close(value));
      keys.append(button);
    }
    dialog.append(words, keys);
    dialog.addEventListener("close", () => { dialog.remove(); done(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// Until when a form or link that was just tapped may take: a page that reloads itself meanwhile would cancel it.
const ON_THE_WAY = 20000;
let leaving = -ON_THE_WAY;
const isLeaving = () => performance.now() - leaving < ON_THE_WAY;

// A form goes out once: a second tap finds the button busy. The back button brings the page alive again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  if (form.dataset.ask && !form.dataset.agreed) {
    event.preventDefault();
    confirmed(form.dataset.ask, event.submitter?.textContent.trim() ?? "确定").then((yes) => {
      if (!yes) { lookAgain(); return; }
      form.dataset.agreed = "1";
      form.requestSubmit(event.submitter);
    });
    return;
  }
  if (form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  leaving = performance.now();
  setTimeout(() => form.querySelectorAll("button").forEach((button) => {
    button.classList.toggle("is-busy", button === event.submitter);
    button.disabled = true;
  }));
});
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// A page that takes its time says that it is on its way.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || link.target || link.hasAttribute("download") || event.defaultPrevented) return;
  leaving = performance.now();
  setTimeout(() => document.body.classList.add("is-leaving"), 250);
});

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-back], [data-wx], [data-copy]");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (!target) return;
  if (target.hasAttribute("data-back")) history.length > 1 ? history.back() : location.assign("/");
  if (target.hasAttribute("data-wx")) ask(target);
});

/** A button that needs WeChat: data-wx = login | phone | consent | pay | selfpay | authorise | insure. */
async function ask(button) {
  const { wx: what, next = location.pathname, templates = "", payment = "" } = button.dataset;
  button.classList.add("is-busy");
  button.disabled = true;
  try {
    if (what === "login") await wx.login(next);
    if (what === "phone") await wx.phone(next);
    if (what === "consent") await wx.askConsent(templates.split(","), next);
    const bill = `/payments/${payment}`;
    if (what === "selfpay") await wx.pay(await call(`${bill}/self-pay`), `${bill}/return`);
    if (what === "authorise") await wx.authorise(await call(`${bill}/insurance/authorise`));
    if (what === "insure") await wx.insure(await call(`${bill}/insurance/confirm`, { json: JSON.parse(button.dataset.split) }), `${bill}/return`);
    if (what === "pay") await wx.pay(await call(`/payments/${payment}/prepay`), `/payments/${payment}/return`);
  } catch (error) {
    toast(error.message, 4000);
  }
  setTimeout(() => { button.classList.remove("is-busy"); button.disabled = false; }, 1500);
}

// WeChat freezes pages in the background: what is shown is asked for again when somebody looks.
function lookAgain() {
  document.querySelectorAll("[data-live]").forEach((element) => window.htmx?.trigger(element, "refresh"));
}
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") lookAgain(); });

// While a question is open, the form it asks about must not be replaced under it; nor what a finger is on: a press that ends on
// another element than it began on is no click.
let pressed = false;
let missed = false;
function released() {
  pressed = false;
  if (missed) lookAgain();
  missed = false;
}
document.addEventListener("pointerdown", () => { pressed = true; }, true);
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => setTimeout(released), true);
document.addEventListener("htmx:beforeSwap", (event) => {
  if (pressed) missed = true;
  if (pressed || document.querySelector("dialog.question")) event.detail.shouldSwap = false;
});
document.addEventListener("htmx:beforeOnLoad", (event) => { if (isLeaving()) event.preventDefault(); });
document.addEventListener("htmx:sendError", () => toast("网络不通，请检查网络"));

// What was typed into a long field survives a reload; it is forgotten when its form has been accepted, that is, when the
// next page no longer has the field.
const keeps = [...document.querySelectorAll("textarea[data-keep]")];
for (const name of Object.keys(sessionStorage).filter((key) => key.startsWith("sent:"))) {
  const key = name.slice(5);
  sessionStorage.removeItem(name);
  if (!keeps.some((field) => field.dataset.keep === key)) sessionStorage.removeItem(`keep:${key}`);
}
for (const field of keeps) {
  const key = field.dataset.keep;
  field.value = sessionStorage.getItem(`keep:${key}`) ?? field.value;
  field.addEventListener("input", () => sessionStorage.setItem(`keep:${key}`, field.value));
  field.form?.addEventListener("submit", () => sessionStorage.setItem(`sent:${key}`, "1"));
}

// Numbers that run down: <span data-left="600"> seconds, by the server's clock, whatever the phone's says. At the end the page is
// asked for again, once: what was over when it came stays. With data-quiet it is not: somebody may be typing.
const ends = new WeakMap();
function tick() {
  for (const element of document.querySelectorAll("[data-left]")) {
    if (!ends.has(element)) ends.set(element, performance.now() + element.dataset.left * 1000);
    const left = Math.max(0, Math.round((ends.get(element) - performance.now()) / 1000));
    element.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (!left && Number(element.dataset.left) > 0 && !element.dataset.over && !element.hasAttribute("data-quiet") && !isLeaving()) {
      element.dataset.over = "1";
      location.reload();
    }
  }
}
tick();
setInterval(tick, 1000);
document.addEventListener("htmx:afterSwap", tick);

// A chosen chip or choice looks chosen, also where `:has()` is not known (iOS before 15.4, older web views).
const choices = () => document.querySelectorAll(".chip > input, .choice > input").forEach((input) => input.parentElement.classList.toggle("is-chosen", input.checked));
document.addEventListener("change", choices);
choices();

// A choice that needs more to be filled in shows it: data-shows names what belongs to it.
for (const choice of document.querySelectorAll("[data-shows]")) {
  const part = document.getElementById(choice.dataset.shows);
  const update = () => { part.hidden = !choice.checked; };
  choice.form.addEventListener("change", update);
  update();
}
