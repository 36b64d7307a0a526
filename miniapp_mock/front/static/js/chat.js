// The conversation. Nothing typed, drawn or spoken is ever lost: drafts, unsent messages and files stay in this browser until the
// server has them; each message has an id of its own, so that sending it twice is harmless. Live by WebSocket, caught up after
// every gap, and by plain requests where no WebSocket gets through.

import { call, toast } from "./app.js";
import { prepareImage, recorder } from "./chat-media.js";
import { addMessage, addPending, dropPending, markFailed, markWaiting, onRead, showEmpty, showProgress, showRead, showTyping } from "./chat-lines.js";
import { forget, isFinal, TALK_GOES_ON, unfinished, upload } from "./chat-uploads.js";

const room = document.getElementById("chat");
const { talk, running, side, files } = room.dataset;
const KEY = `chat:${talk}:${side}`;
const BACKOFF = [300, 1000, 2000, 4000, 8000, 15000];
const SILENCE = 40000; // the server says something every 15 s
const WITHOUT_SOCKET = 4000;
const TYPING_EVERY = 3000;
const NO_SHIFT = 4403;
const ASK_AGAIN = 10000; // what is kept while the time is over is offered so often: the doctor may have prolonged it

const kept = (() => { try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; } })();
const outbox = kept.outbox ?? [];
let last = 0;
let read = 0;
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
  if (againTimer) offerAgain(); // perhaps the doctor prolonged the talk
  dispatchEvent(new Event(TALK_GOES_ON));
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
    opened.onopen = () => { failures = 0; tell(""); listenAgain(); flush(); tellRead(); };
    opened.onmessage = (event) => { listenAgain(); heard(event.data); };
    opened.onclose = (event) => {
      if (event.code === NO_SHIFT) location.assign(`/doctor/shift?next=${encodeURIComponent(location.pathname)}`);
      else if (socket === opened) lost();
    };
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
  if (message.type === "mark" && message.side !== side) showRead(message.sequence);
  if (message.type === "typing") showTyping();
  if (message.type === "problem" && message.client_id) refused(message.client_id, message.detail, message);
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
  if (document.visibilityState !== "visible") return;
  if (!socket && !over) connect();
  tellRead();
});

// how far one has read

onRead((sequence) => { read = Math.max(read, sequence); tellRead(); });
let toldRead = 0;
function tellRead() {
  if (over || read <= toldRead || document.visibilityState !== "visible" || !isOpen()) return;
  toldRead = read;
  socket.send(JSON.stringify({ type: "read", sequence: read }));
}

// sending

const newId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(16).slice(2)}`;

function say(one) {
  outbox.push(one);
  keep();
  flush();
}

function flush() {
  if (!isOpen()) { setTimeout(() => { if (outbox.length && !isOpen()) post(); }, WITHOUT_SOCKET); return; }
  for (const one of outbox) socket.send(JSON.stringify({ type: "say", ...one }));
}

/** Not taken: for good, with a way to take it back, or only now. */
let againTimer = 0;
function refused(clientId, words, problem) {
  if (isFinal(problem)) { markFailed(clientId, words); return; }
  markWaiting(clientId, waitingWords(problem));
  clearTimeout(againTimer);
  againTimer = setTimeout(offerAgain, ASK_AGAIN);
}

function offerAgain() {
  clearTimeout(againTimer);
  againTimer = 0;
  flush();
}

const waitingWords = ({ code }) => (code === "time_over" ? "问诊时间已到，医生延长后会自动发送" : "稍后自动发送");

let posting = false;
async function post() {
  if (posting) return;
  posting = true;
  for (const one of [...outbox]) {
    try {
      await call(`${talk}/messages`, { json: { type: "say", ...one } });
      await catchUp(); // in order, with what the other side said meanwhile
    } catch (error) {
      if (error.status < 400 || error.status >= 500) break; // no network: the next attempt takes them all
      refused(one.client_id, error.message, error);
      if (!isFinal(error)) break;
    }
  }
  posting = false;
}

/** A message that was refused is taken back into the field. */
function again(clientId) {
  const index = outbox.findIndex((one) => one.client_id === clientId);
  dropPending(clientId);
  forget(clientId);
  if (index < 0) return;
  const [one] = outbox.splice(index, 1);
  if (one.kind === "text" && field) { field.value = one.body + (field.value ? `\n${field.value}` : ""); grow(); field.focus(); }
  keep();
}

// typing

function grow() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 3, 170)}px`;
}

let whisperedAt = 0;
function whisper() {
  if (!isOpen() || !field.value || Date.now() - whisperedAt < TYPING_EVERY) return;
  whisperedAt = Date.now();
  socket.send('{"type":"typing"}');
}

if (field) {
  field.value = kept.draft ?? "";
  grow();
  field.addEventListener("input", () => { grow(); keep(); whisper(); });
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
    const one = { client_id: newId(), kind: "text", body: text, attachment_id: null };
    addPending(one, again);
    say(one);
  }, true);
}

// pictures and voice notes

function sendFile(kind, blob) {
  const file = { client_id: newId(), talk, prefix: files.replace("/attachments", ""), kind, blob };
  addPending(file, again);
  bring(file);
}

async function bring(file) {
  try {
    const attachment = await upload(file, (share) => showProgress(file.client_id, share), (error) => {
      if (error.code === "time_over" || error.status === 429) markWaiting(file.client_id, waitingWords(error));
    });
    say({ client_id: file.client_id, kind: file.kind, body: "", attachment_id: attachment.id });
    await forget(file.client_id);
  } catch (error) {
    markFailed(file.client_id, error.message);
  }
}

document.getElementById("say-image")?.addEventListener("change", async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  try {
    sendFile("image", await prepareImage(file));
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
    for (const mark of await call(`${talk}/marks`, { method: "GET" })) if (mark.side !== side) showRead(mark.sequence);
  } catch (error) {
    tell(error.message);
  }
  showEmpty(over ? "这次问诊没有留下消息。" : "还没有消息，可以先把不舒服的地方写给对方。");
  connect();
  if (over) return;
  for (const file of await unfinished(talk)) {
    if (outbox.some((one) => one.client_id === file.client_id)) { forget(file.client_id); continue; }
    addPending(file, again);
    bring(file);
  }
}
begin();
