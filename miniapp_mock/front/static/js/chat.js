// The conversation. Nothing typed is ever lost: a draft and unsent messages stay in this browser until the server has them;
// each message has an id of its own, so that sending it twice is harmless. Live by WebSocket, caught up after every gap, and
// by plain requests where no WebSocket gets through.

import { call, toast } from "./app.js";
import { prepareImage, recorder } from "./chat-media.js";
import { addMessage, addPending, dropPending, markFailed, showEmpty } from "./chat-lines.js";

const room = document.getElementById("chat");
const { talk, running } = room.dataset;
const KEY = `chat:${talk}:${room.dataset.side}`;
const BACKOFF = [300, 1000, 2000, 4000, 8000, 15000];
const SILENCE = 40000; // the server says something every 15 s
const WITHOUT_SOCKET = 4000;

const kept = (() => { try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; } })();
const outbox = kept.outbox ?? [];
let last = 0;
let socket = null;
let failures = 0;
let over = !running;
let retryTimer = 0;
let silenceTimer = 0;
const field = document.getElementById("say-text");

function keep() {
  const state = { draft: field?.value ?? "", outbox };
  if (!state.draft && !outbox.length) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, JSON.stringify(state));
}

// receiving

function received(message) {
  if (message.sequence <= last) return;
  last = message.sequence;
  const index = outbox.findIndex((one) => one.client_id === message.client_id);
  if (index >= 0) {
    outbox.splice(index, 1);
    keep();
  }
  dropPending(message.client_id);
  addMessage(message);
}

async function catchUp() {
  for (;;) {
    const found = await call(`${talk}/messages?after=${last}`, { method: "GET" });
    found.forEach(received);
    if (found.length < 200) return;
  }
}

function tell(text) {
  const line = document.getElementById("link-state");
  if (!line) return;
  line.textContent = text;
  line.hidden = !text;
}

// the socket

async function connect() {
  clearTimeout(retryTimer);
  retryTimer = 0;
  if (over || socket) return;
  const mine = socket = {}; // nobody else connects meanwhile
  try {
    await catchUp();
    const { ticket, url } = await call(`${talk}/tickets`, { json: { purpose: "chat" } });
    const address = new URL(url);
    address.searchParams.set("ticket", ticket);
    address.searchParams.set("after", last);
    const opened = new WebSocket(address);
    opened.binaryType = "arraybuffer"; // read at once, so that messages stay in order
    socket = opened;
    opened.onopen = () => { failures = 0; tell(""); listenAgain(); flush(); };
    opened.onmessage = (event) => { listenAgain(); heard(event.data); };
    opened.onclose = () => { if (socket === opened) lost(); };
  } catch (error) {
    if (socket === mine) lost(error);
  }
}

function listenAgain() {
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(() => socket?.close?.(), SILENCE);
}

function heard(data) {
  const message = JSON.parse(typeof data === "string" ? data : new TextDecoder().decode(data));
  if (message.type === "message") received(message);
  if (message.type === "problem") post(); // it does not say about which message: ask one by one
}

function lost(error) {
  socket = null;
  clearTimeout(silenceTimer);
  if (error?.code === "encounter_not_running") {
    over = true;
    document.querySelectorAll("[data-live]").forEach((element) => window.htmx?.trigger(element, "refresh"));
    return;
  }
  if (error?.status === 401) { location.reload(); return; }
  tell(failures ? "网络不稳定，正在重新连接。您输入的内容不会丢失。" : "");
  retryTimer = setTimeout(connect, BACKOFF[Math.min(failures, BACKOFF.length - 1)]);
  failures += 1;
  if (outbox.length) setTimeout(post, WITHOUT_SOCKET);
}

const isOpen = () => socket?.readyState === WebSocket.OPEN;
addEventListener("online", () => { if (!socket) connect(); });
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && !socket && !over) connect();
});

// sending

function say(kind, body, attachmentId = null) {
  const one = { client_id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(16).slice(2)}`, kind, body, attachment_id: attachmentId };
  outbox.push(one);
  keep();
  addPending(one, again);
  flush();
}

function flush() {
  if (!isOpen()) { setTimeout(() => { if (outbox.length && !isOpen()) post(); }, WITHOUT_SOCKET); return; }
  for (const one of outbox) socket.send(JSON.stringify({ type: "say", ...one }));
}

let posting = false;
async function post() {
  if (posting) return;
  posting = true;
  for (const one of [...outbox]) {
    try {
      await call(`${talk}/messages`, { json: { type: "say", ...one } });
      await catchUp(); // in order, with what the other side said meanwhile
    } catch (error) {
      if (error.status >= 400 && error.status < 500) markFailed(one.client_id, error.message);
      else break; // no network: the next attempt takes them all
    }
  }
  posting = false;
}

function again(clientId, text) {
  const index = outbox.findIndex((one) => one.client_id === clientId);
  if (index < 0) return;
  const [one] = outbox.splice(index, 1);
  dropPending(clientId);
  if (one.kind === "text" && field) { field.value = one.body + (field.value ? `\n${field.value}` : ""); grow(); field.focus(); }
  keep();
  if (text) toast(text);
}

// typing

function grow() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 3, 170)}px`;
}

if (field) {
  field.value = kept.draft ?? "";
  grow();
  field.addEventListener("input", () => { grow(); keep(); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation(); // this form is never "sent" once and for all
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    grow();
    say("text", text);
  }, true);
}

async function sendFile(kind, blob) {
  try {
    toast("正在发送…", 60000);
    const { id } = await call(`${talk}/attachments`, { body: blob, type: blob.type.split(";")[0] });
    say(kind, "", id);
    toast("已发送", 900);
  } catch (error) {
    toast(error.message, 4000);
  }
}

document.getElementById("say-image")?.addEventListener("change", async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  try {
    await sendFile("image", await prepareImage(file));
  } catch (error) {
    toast(error.message, 4000);
  }
});
recorder(document.getElementById("say-voice"), (blob) => sendFile("voice", blob), (text) => toast(text, 4000));

// begin

async function begin() {
  for (const one of outbox) addPending(one, again);
  try {
    await catchUp();
  } catch (error) {
    tell(error.message);
  }
  showEmpty(over ? "这次问诊没有留下消息。" : "还没有消息，可以先把不舒服的地方写给对方。");
  connect();
}
begin();
