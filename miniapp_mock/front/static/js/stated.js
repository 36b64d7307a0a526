// What the doctor states about the patient beside what the systems know: pregnancy, kidney, liver, weight, other drugs, skin tests.
// Nothing is assumed: what is left alone is not sent, and the engine takes it for unknown.

import { call, toast } from "./app.js";

const box = document.getElementById("stated");
const find = (id) => document.getElementById(id);
const named = (name) => box.querySelector(`[name="${name}"]`);
const chosen = (name) => box.querySelector(`[name="${name}"]:checked`)?.value ?? "";
const tests = [...box.querySelectorAll("[data-test]")].map((part) => part.dataset.test);
const MOST_TAKING = 30;
const taking = new Map(); // code → name
let refused = {}; // what the server said, by field

/** The facts as the API takes them; unknown ones are missing. */
export function stated() {
  const facts = {};
  for (const name of ["pregnancy", "lactation"]) if (["yes", "no"].includes(chosen(name))) facts[name] = chosen(name);
  if (named("liver").value !== "unknown") facts.liver = named("liver").value;
  const [weight, egfr] = [named("weight_kg").value.trim(), named("egfr").value.trim()];
  if (weight) facts.weight_kg = weight;
  if (egfr) facts.egfr = Number(egfr);
  if (taking.size) facts.taking = [...taking.keys()];
  const done = tests.filter((group) => chosen(`test-${group}`));
  if (done.length) facts.skin_tests = done.map((group) => ({ group, negative: chosen(`test-${group}`) === "negative", tested_on: named(`day-${group}`).value }));
  return facts;
}

/** What cannot be, by field; the server says the same again. */
function wrong() {
  const found = {};
  const [weight, egfr] = [named("weight_kg").value.trim(), named("egfr").value.trim()];
  if (weight && !(/^\d{1,3}(\.\d{1,2})?$/.test(weight) && Number(weight) > 0 && Number(weight) <= 300)) found.weight_kg = "体重应为不超过 300 的公斤数，最多两位小数";
  if (egfr && !(/^\d{1,3}$/.test(egfr) && egfr >= 1 && egfr <= 250)) found.egfr = "肾小球滤过率应为 1 到 250 的整数";
  for (const group of tests) {
    const day = named(`day-${group}`).value;
    if (chosen(`test-${group}`) && (!day || day > box.dataset.today)) found[`test:${group}`] = day ? "皮试日期不能晚于今天" : "请填写皮试日期";
  }
  return found;
}

/** Whether something here keeps the prescription from being sent. */
export const statedIsWrong = () => Object.keys(wrong()).length > 0;

/** The server's words about `patient.…` fields, shown at them until something is changed here. */
export function refuseStated(fields) {
  refused = {};
  for (const [name, words] of Object.entries(fields ?? {})) {
    const [patient, fact, place] = name.split(".");
    if (patient !== "patient") continue;
    const test = fact === "skin_tests" && stated().skin_tests?.[place];
    refused[test ? `test:${test.group}` : fact] = words;
  }
  showStated();
}

/** Words at the fields, and how many facts there are. */
export function showStated() {
  const words = { ...refused, ...wrong() };
  for (const part of box.querySelectorAll("[data-fact], [data-test]")) {
    const said = words[part.dataset.fact ?? `test:${part.dataset.test}`] ?? "";
    const note = part.querySelector(".field-error");
    note.textContent = said;
    note.hidden = !said;
    part.classList.toggle("field-wrong", Boolean(said));
  }
  for (const group of tests) named(`day-${group}`).closest("label").hidden = !chosen(`test-${group}`);
  const count = Object.keys(stated()).length;
  find("stated-count").textContent = count ? `已注明 ${count} 项` : "未注明";
  if (Object.keys(words).length) box.open = true;
}

/** Who stated it, and when, once it is saved. */
export function savedStated({ prescriber, stated_at: at }) {
  find("stated-by").textContent = at ? `${prescriber} ${new Date(at).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", dateStyle: "long", timeStyle: "short" })} 填写` : "";
}

/** Fill in; `names` of the drugs by code. */
export function fillStated(facts, names) {
  for (const name of ["pregnancy", "lactation"]) {
    const radio = box.querySelector(`[name="${name}"][value="${facts[name] ?? "unknown"}"]`);
    if (radio) radio.checked = true;
  }
  named("liver").value = facts.liver ?? "unknown";
  named("weight_kg").value = facts.weight_kg ?? "";
  named("egfr").value = facts.egfr ?? "";
  taking.clear();
  for (const code of facts.taking ?? []) taking.set(code, names[code] ?? code);
  for (const test of facts.skin_tests ?? []) {
    const radio = box.querySelector(`[name="test-${test.group}"][value="${test.negative ? "negative" : "positive"}"]`);
    if (!radio) continue;
    radio.checked = true;
    named(`day-${test.group}`).value = test.tested_on;
  }
  drawTaking();
  showStated();
  box.open = Object.keys(stated()).length > 0;
}

/** Names of what she takes from elsewhere, to be kept in the tab beside the codes. */
export const takingNames = () => Object.fromEntries(taking);

const changed = () => box.dispatchEvent(new Event("input", { bubbles: true }));

function drawTaking() {
  find("taking").replaceChildren(...[...taking].map(([code, name]) => {
    const key = document.createElement("button");
    key.type = "button";
    key.className = "chip";
    key.textContent = `${name} ✕`;
    key.setAttribute("aria-label", `去掉 ${name}`);
    key.addEventListener("click", () => { taking.delete(code); drawTaking(); changed(); });
    return key;
  }));
}

let asked = 0;
let typing = 0;
async function search() {
  const mine = ++asked;
  const words = find("taking-find").value.trim();
  if (!words) { find("taking-found").replaceChildren(); return; }
  let rows;
  try {
    rows = await call(`/doctor/drugs?${new URLSearchParams({ q: words })}`, { method: "GET" });
  } catch (error) {
    toast(error.message);
    return;
  }
  if (mine !== asked) return;
  find("taking-found").replaceChildren(...rows.slice(0, 8).map((drug) => {
    const key = document.createElement("button");
    key.type = "button";
    key.setAttribute("role", "option");
    key.textContent = `${drug.generic_name} ${drug.strength}`;
    key.addEventListener("click", () => {
      if (taking.size >= MOST_TAKING) { toast(`最多 ${MOST_TAKING} 种`); return; }
      taking.set(drug.code, drug.generic_name);
      find("taking-find").value = "";
      find("taking-found").replaceChildren();
      drawTaking();
      changed();
    });
    return key;
  }));
}

find("taking-find").addEventListener("input", (event) => { event.stopPropagation(); clearTimeout(typing); typing = setTimeout(search, 200); });
find("taking-find").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); find("taking-found").querySelector("button")?.click(); } });
box.addEventListener("input", () => { refused = {}; showStated(); });

fillStated(JSON.parse(box.dataset.known), Object.fromEntries(JSON.parse(box.dataset.taking).map(({ code, name }) => [code, name])));
