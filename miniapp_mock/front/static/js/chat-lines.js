// How messages look. Everything that somebody wrote goes in as text, never as markup.

import { bubble } from "./chat-bubbles.js";

const room = document.getElementById("chat");
const more = document.getElementById("chat-new");
const { side, name, peer } = room.dataset;
const GAP = 5 * 60 * 1000;
const TYPING_FOR = 6000;
let lastAt = 0;
let started = false;
let newest = 0;

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

function begin() {
  if (started) return;
  started = true;
  room.querySelector(".loading")?.remove();
  room.querySelector(".empty")?.remove();
}

/** After the first look: nothing there yet. */
export function showEmpty(words) {
  room.querySelector(".loading")?.remove();
  if (!started) {
    const box = make("div", "empty");
    box.append(make("p", "", words));
    room.append(box);
  }
}

const atBottom = () => room.scrollHeight - room.scrollTop - room.clientHeight < 120;
let following = true; // the reader is at the end, and stays there when pictures grow
const toBottom = () => { following = true; room.scrollTop = room.scrollHeight; more.hidden = true; tellReader(); };
more.addEventListener("click", toBottom);
room.addEventListener("scroll", () => {
  following = atBottom();
  if (following) { more.hidden = true; tellReader(); }
});
new ResizeObserver(() => { if (following) toBottom(); }).observe(room);

let reader = () => {};
/** Called with the last sequence whenever the reader has the end before her. */
export function onRead(then) { reader = then; }
function tellReader() { if (newest) reader(newest); }

const zone = { timeZone: "Asia/Shanghai", hour12: false };
function timeWords(at) {
  const day = (date) => date.toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai", month: "long", day: "numeric" });
  const clock = at.toLocaleTimeString("zh-CN", { ...zone, hour: "2-digit", minute: "2-digit" });
  return day(at) === day(new Date()) ? clock : `${day(at)} ${clock}`;
}

const settled = () => { if (following) toBottom(); };

function line(mine, content) {
  const row = make("div", `say-line${mine ? " say-mine" : ""}`);
  const face = make("span", "face", ((mine ? name : peer) || "我")[0]);
  face.setAttribute("aria-hidden", "true");
  row.append(make("span", "for-readers", mine ? "我：" : `${peer}：`), face, content);
  return row;
}

/** A message that the server has. What a program says stands in the middle and says so. */
export function addMessage(message) {
  begin();
  hideTyping();
  const follow = following || message.sender === side;
  const at = new Date(message.at);
  if (at - lastAt > GAP) room.append(make("p", "chat-time", timeWords(at)));
  lastAt = at;
  newest = message.sequence;
  const mine = message.sender === side;
  let row;
  if (message.machine) {
    row = make("div", "say-system");
    row.append(make("b", "", "系统消息 · 自动发送"), bubble(message, settled));
  } else {
    row = line(mine, bubble(message, settled));
  }
  row.dataset.sequence = message.sequence;
  if (mine) row.dataset.mine = "1";
  room.insertBefore(row, room.querySelector("[data-pending]"));
  markRows();
  if (follow) toBottom();
  else more.hidden = false;
}

/** A message on its way. */
export function addPending(one, again) {
  begin();
  const row = line(true, bubble(one, settled));
  row.dataset.pending = one.client_id;
  const state = make("span", "say-state", one.blob ? "等待上传" : "发送中");
  state.addEventListener("click", () => { if (row.dataset.failed) again(one.client_id); });
  row.append(state);
  room.append(row);
  toBottom();
}

const pending = (clientId) => [...room.querySelectorAll("[data-pending]")].find((row) => row.dataset.pending === clientId);

export function dropPending(clientId) { pending(clientId)?.remove(); }

/** How much of a file is safe, from 0 to 1. */
export function showProgress(clientId, share) {
  const state = pending(clientId)?.querySelector(".say-state");
  if (state) state.textContent = share < 1 ? `上传 ${Math.floor(share * 100)}%` : "发送中";
}

/** It is kept and goes on later by itself: why it waits. */
export function markWaiting(clientId, why) {
  const state = pending(clientId)?.querySelector(".say-state");
  if (state) state.textContent = why;
}

/** Refused: why, and a way to take it back. */
export function markFailed(clientId, why) {
  const row = pending(clientId);
  if (!row) return;
  row.dataset.failed = "1";
  const state = row.querySelector(".say-state");
  state.classList.add("say-failed");
  state.textContent = why;
  const button = make("button", "say-again", "取回");
  button.type = "button";
  state.append(button);
}

// what the other side has read

let readTo = 0;
/** The other side has read up to `sequence`: the last of mine that she read says so. */
export function showRead(sequence) {
  readTo = Math.max(readTo, sequence);
  markRows();
}

function markRows() {
  const mine = [...room.querySelectorAll("[data-mine]")];
  const seen = mine.filter((row) => Number(row.dataset.sequence) <= readTo).pop();
  for (const row of mine) {
    const word = row.querySelector(".say-read");
    if (row === seen && !word) row.append(make("span", "say-read", "已读"));
    else if (row !== seen) word?.remove();
  }
}

// the other side writes

let typingTimer = 0;
export function showTyping() {
  const box = document.getElementById("chat-typing");
  if (!box) return;
  box.hidden = false;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(hideTyping, TYPING_FOR);
}

function hideTyping() {
  clearTimeout(typingTimer);
  const box = document.getElementById("chat-typing");
  if (box) box.hidden = true;
}
