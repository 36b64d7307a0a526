// The prescription editor: lines, the review engine's word beside each of them while they are written, saving, signing.
// What is typed stays in this tab until it is saved. What the engine says here is a help; the server asks it again on signing.

import { call, toast } from "./app.js";
import { fillStated, refuseStated, savedStated, showStated, stated, statedIsWrong, takingNames } from "./stated.js";

const form = document.getElementById("rx");
const find = (id) => document.getElementById(id);
const [written, known, times, routes, renews] = ["written", "drugs", "times", "routes", "renews"].map((name) => JSON.parse(form.dataset[name]));
const { encounter, visit } = form.dataset;
const returned = written[form.dataset.returned]; // the line the pharmacist sent it back for
const KEY = `rx:${encounter}:${form.dataset.prescription}`;
const MOST = 5;
const WORDS = { block: "禁止", reason: "须写理由", info: "提示" };
const CHECK = `/doctor/encounters/${encounter}/prescriptions/check`;
const BANNED = ["narcotic", "psychotropic_1", "psychotropic_2", "toxic", "radioactive", "precursor"];
const NUMBER = /^\d{1,6}(\.\d{1,3})?$/;
const lines = [];
let turn = 0;
let verdict = { findings: [], blocked: true };

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const yuan = (fen) => `¥${(fen / 100).toFixed(2)}`;

// lines

const field = (line, name) => line.element.querySelector(`[name="${name}"]`);

/** Doses of the drug's own strength in one tablet (capsule, sachet …); 0 where its unit cannot be converted. */
function perUnit({ dose_unit: doseUnit, unit, strength_amount: strength }) {
  if (doseUnit === unit) return 1;
  const inMg = { mg: 1, g: 1000, μg: 0.001 }[doseUnit];
  return inMg ? Number(strength) / inMg || 0 : 0;
}

/** Whole packs for the course; null where nothing can be computed (creams, syrups). */
function packs(line) {
  const [each, size] = [perUnit(line.drug), line.drug.pack_size];
  const [dose, days] = [Number(field(line, "dose").value), Number(field(line, "days").value)];
  const often = times[field(line, "frequency").value];
  if (!each || !(dose > 0) || !(days > 0) || !often || !size) return null;
  const up = (value) => Math.ceil(value - 1e-9);
  const doses = often.once ? 1 : Math.ceil((often.times * days) / often.per_days);
  return up((up(dose / each) * doses) / size);
}

/**
 * A line; `from` names the earlier prescription it is proposed by, and then it counts only when the doctor has confirmed it.
 * `origin` (prescription_id, number) stays with the line and is signed: the line continues that prescription.
 */
function add(drug, item = {}, from = "", origin = null) {
  const element = find("line").content.firstElementChild.cloneNode(true);
  const line = { drug, element, counted: item.quantity === undefined, from, origin };
  if (from) {
    const box = element.querySelector(".line-proposed");
    box.hidden = false;
    box.querySelector("span").textContent = `取自 ${from}，已重新核对剂量、用法和天数`;
    box.querySelector("input").addEventListener("change", (event) => {
      line.from = event.target.checked ? "" : from;
      changed();
    });
  }
  element.querySelector(".line-name").textContent = drug.generic_name;
  element.querySelector(".line-strength").textContent = drug.strength;
  element.querySelector(".line-about").textContent = `${drug.pack_size}${drug.unit}/${drug.pack_unit} · ${drug.manufacturer} · ${yuan(drug.price)}`;
  if (drug.shelf?.words) element.querySelector(".line-about").append(make("br"), shelf(drug));
  if (origin) {
    element.querySelector(".line-origin").textContent = `续自处方 ${origin.number}`;
    element.querySelector(".line-origin").hidden = false;
  }
  element.querySelector(".line-unit").textContent = drug.dose_unit;
  element.querySelector(".line-pack").textContent = drug.pack_unit;
  for (const code of drug.routes.length ? drug.routes : Object.keys(routes)) {
    field(line, "route").append(new Option(routes[code] ?? code, code));
  }
  const start = { dose: perUnit(drug) || "", frequency: "qd", route: drug.routes[0] ?? "1", days: 7, quantity: 1, note: "", ...item };
  for (const name of ["dose", "frequency", "route", "days", "quantity", "note"]) field(line, name).value = String(start[name]);
  element.querySelector(".line-remove").addEventListener("click", () => {
    lines.splice(lines.indexOf(line), 1);
    element.remove();
    changed();
  });
  element.addEventListener("input", (event) => {
    if (event.target.name === "quantity") line.counted = false;
    if (event.target.name === "frequency" && times[event.target.value]?.once) field(line, "days").value = "1"; // a single dose has one day
    count(line);
    changed();
  });
  lines.push(line);
  element.classList.toggle("line-returned", item === returned);
  find("lines").append(element);
  count(line);
  return line;
}

function count(line) {
  const needed = line.counted ? packs(line) : null;
  if (needed !== null) field(line, "quantity").value = String(needed);
}

function problems(line) {
  const [dose, days, quantity] = ["dose", "days", "quantity"].map((name) => field(line, name).value.trim());
  const found = [];
  if (line.from) found.push("续方内容须核对后勾选确认");
  if (!NUMBER.test(dose) || !(Number(dose) > 0)) found.push("请填写每次剂量，最多三位小数");
  if (!/^\d+$/.test(days) || days < 1 || days > 84) found.push("天数应为 1 到 84");
  if (!/^\d+$/.test(quantity) || quantity < 1 || quantity > 200) found.push("数量应为 1 到 200");
  return found;
}

function body() {
  return {
    items: lines.map((line) => ({
      drug_code: line.drug.code, dose: field(line, "dose").value.trim(), frequency: field(line, "frequency").value,
      route: field(line, "route").value, days: Number(field(line, "days").value), quantity: Number(field(line, "quantity").value),
      note: field(line, "note").value.trim(), ...(line.origin ? { renews: line.origin.prescription_id } : {}),
    })),
    diagnosis_codes: [...form.querySelectorAll('[name="diagnosis"]:checked')].map((box) => box.value),
    reason: find("reason").value.trim(), allergies: find("allergies").value.trim(),
    valid_days: Number(form.querySelector('[name="valid"]:checked').value),
    patient: stated(),
  };
}

// the engine's word

function shelf(drug) {
  return make("span", drug.shelf?.out ? "late shelf-out" : "hint", drug.shelf?.words ?? "");
}

function note(severity, text) {
  const box = make("p", `finding finding-${severity}`);
  box.append(make("b", "", WORDS[severity]), document.createTextNode(text));
  return box;
}

function show() {
  lines.forEach((line, index) => {
    line.element.querySelector(".line-number").textContent = String(index + 1);
    const found = verdict.findings.filter((one) => one.item === index).map((one) => note(one.severity, one.message));
    line.element.querySelector(".line-findings").replaceChildren(...problems(line).map((text) => note("block", text)), ...found);
  });
  const general = verdict.findings.filter((one) => one.item === null).map((one) => note(one.severity, one.message));
  if (verdict.failed) general.push(note("info", `${verdict.failed}。签名时系统会再次审查`));
  find("general").replaceChildren(...(lines.length ? general : []));
  const wanted = verdict.findings.some((one) => one.severity === "reason") && !find("reason").value.trim();
  find("reason").classList.toggle("wanted", wanted);
  find("total").textContent = yuan(lines.reduce((sum, line) => sum + line.drug.price * (Number(field(line, "quantity").value) || 0), 0));
  const unfit = !lines.length || lines.some((line) => problems(line).length) || statedIsWrong();
  find("sign").disabled = unfit || verdict.blocked || wanted;
  find("keep").disabled = unfit;
  showStated();
}

async function examine() {
  const mine = ++turn;
  if (!lines.length || lines.some((line) => problems(line).length) || statedIsWrong()) {
    verdict = { findings: [], blocked: true };
    show();
    return;
  }
  try {
    const found = await call(CHECK, { json: body() });
    if (mine !== turn) return;
    verdict = found;
  } catch (error) {
    if (mine !== turn) return;
    refuseStated(error.fields);
    verdict = { findings: [], blocked: error.status === 422, failed: error.message };
  }
  form.dataset.checked = String(mine); // what is shown belongs to what is written
  show();
}

let timer = 0;
function changed() {
  sessionStorage.setItem(KEY, JSON.stringify({ body: body(), taking: takingNames(), from: lines.map((line) => line.from), origins: lines.map((line) => line.origin), drugs: Object.fromEntries(lines.map((line) => [line.drug.code, line.drug])) }));
  delete form.dataset.checked;
  turn += 1; // an answer to what was written before is no answer any more
  verdict = { ...verdict, findings: verdict.findings.filter((one) => one.item === null), blocked: true };
  show();
  clearTimeout(timer);
  timer = setTimeout(examine, 350);
}

// finding drugs

let asked = 0;
let typing = 0;
async function search() {
  const mine = ++asked;
  const words = find("find").value.trim();
  if (!words) { find("found").replaceChildren(); return; }
  let found;
  try {
    found = await call(`/doctor/drugs?${new URLSearchParams({ q: words })}`, { method: "GET" });
  } catch (error) {
    toast(error.message);
    return;
  }
  if (mine !== asked) return;
  const rows = found.slice(0, 12).map((drug) => {
    const button = make("button");
    button.type = "button";
    button.setAttribute("role", "option");
    const may = drug.online_allowed && !BANNED.includes(drug.control_class);
    const why = !may ? "（不能线上开具）" : drug.skin_test ? "（须注明皮试结果）" : "";
    button.append(make("span", "strong", `${drug.generic_name} ${drug.strength}${why}`), make("span", "hint", `${drug.pack_size}${drug.unit}/${drug.pack_unit} · ${drug.manufacturer} · ${yuan(drug.price)}`));
    if (drug.shelf?.words) button.append(shelf(drug));
    button.addEventListener("click", () => choose(drug));
    return button;
  });
  find("found").replaceChildren(...(rows.length ? rows : [make("p", "hint", `没有找到“${words}”`)]));
}

function choose(drug) {
  if (lines.length >= MOST) { toast(`一张处方最多 ${MOST} 种药品，请另开一张`); return; }
  const line = add(drug);
  find("find").value = "";
  find("found").replaceChildren();
  changed();
  line.element.scrollIntoView({ block: "center" });
  field(line, "dose").focus({ preventScroll: true });
}

find("find").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 200); });
find("find").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); find("found").querySelector("button")?.click(); } });

// continuing an earlier prescription: a proposal, line by line

const day = (text) => new Date(text).toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai" });

function proposed(one) {
  const box = make("div", "past");
  box.append(make("p", "strong", `${day(one.signed_at)} ${one.prescriber}`), make("p", "hint", one.diagnoses.map((each) => each.name).join("、")));
  for (const line of one.lines) {
    const { written } = line;
    const button = make("button", "weui-btn weui-btn_small weui-btn_default");
    button.type = "button";
    const use = `${line.name} ${line.strength}　每次 ${written.dose}${line.drug?.dose_unit ?? ""}，${times[written.frequency]?.name ?? written.frequency}，${written.days} 天，× ${written.quantity}`;
    button.textContent = line.drug ? "采用这一行" : "已停用，不能采用";
    button.disabled = !line.drug;
    button.addEventListener("click", () => {
      if (lines.length >= MOST) { toast(`一张处方最多 ${MOST} 种药品，请另开一张`); return; }
      if (lines.some((known) => known.drug.code === line.drug.code)) { toast("处方里已有这种药"); return; }
      const made = add(line.drug, { ...written }, `${day(one.signed_at)} 的处方`, { prescription_id: one.prescription_id, number: one.number });
      changed();
      made.element.scrollIntoView({ block: "center" });
    });
    box.append(make("p", "", use), button);
  }
  return box;
}

find("refills").addEventListener("toggle", async (event) => {
  if (!event.target.open || find("proposals").childElementCount) return;
  try {
    const found = await call(event.target.dataset.from, { method: "GET" });
    find("proposals").replaceChildren(...(found.length ? found.map(proposed) : [make("p", "hint", "没有在互联网医院开过处方。院内用药请看院内病历。")]));
  } catch (error) {
    find("proposals").replaceChildren(make("p", "late", error.message));
  }
});

// saving and signing

async function save() {
  const { prescription } = form.dataset;
  const saved = prescription
    ? await call(`/doctor/prescriptions/${prescription}`, { method: "PUT", json: body() })
    : await call(`/doctor/encounters/${encounter}/prescriptions`, { json: body() });
  sessionStorage.removeItem(KEY);
  form.dataset.prescription = saved.id;
  savedStated(saved);
  history.replaceState(null, "", `/doctor/prescriptions/${saved.id}`);
  return saved.id;
}

async function busy(button, work) {
  const both = [find("keep"), find("sign")];
  button.classList.add("is-busy");
  both.forEach((one) => { one.disabled = true; });
  try {
    await work();
  } catch (error) {
    if (error.code === "no_shift") {
      location.assign(`/doctor/shift?${new URLSearchParams({ next: location.pathname })}`);
      return;
    }
    toast(error.message, 5000);
    refuseStated(error.fields);
    examine();
  }
  button.classList.remove("is-busy");
  show();
}

find("keep").addEventListener("click", () => busy(find("keep"), async () => {
  await save();
  toast("草稿已保存");
}));

find("sign").addEventListener("click", () => {
  if (!find("allergies").value.trim()) {
    toast("请向患者核实过敏史，没有请写“无”", 4000);
    find("allergies").focus();
    return;
  }
  busy(find("sign"), async () => {
    const id = await save();
    await call(`/doctor/prescriptions/${id}/sign`);
    location.assign(visit);
  });
});

form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); }, true);
form.addEventListener("input", (event) => { if (!event.target.closest(".line, #find")) changed(); });
form.addEventListener("change", (event) => { if (event.target.type === "checkbox" || event.target.type === "radio") changed(); });

// begin: what was left in this tab, else what is saved

const left = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
for (const [place, item] of (left?.body.items ?? written).entries()) {
  const drug = left?.drugs[item.drug_code] ?? known[item.drug_code];
  const origin = left ? left.origins?.[place] : renews.find(({ line }) => line === place);
  if (drug) add(drug, item, left?.from?.[place] ?? "", origin ?? null);
  else toast(`药品 ${item.drug_code} 已不在目录中`, 4000);
}
if (left) {
  find("reason").value = left.body.reason;
  find("allergies").value = left.body.allergies;
  form.querySelectorAll('[name="diagnosis"]').forEach((box) => { box.checked = left.body.diagnosis_codes.includes(box.value); });
  const days = form.querySelector(`[name="valid"][value="${left.body.valid_days}"]`);
  if (days) days.checked = true;
  fillStated(left.body.patient ?? {}, left.taking ?? {});
}
examine();
