// How messages look. Everything that somebody wrote goes in as text, never as markup.

const room = document.getElementById("chat");
const more = document.getElementById("chat-new");
const { side, files, name, peer } = room.dataset;
const GAP = 5 * 60 * 1000;
let lastAt = 0;
let started = false;

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
const toBottom = () => { following = true; room.scrollTop = room.scrollHeight; more.hidden = true; };
more.addEventListener("click", toBottom);
room.addEventListener("scroll", () => {
  following = atBottom();
  if (following) more.hidden = true;
});
new ResizeObserver(() => { if (following) toBottom(); }).observe(room);

const zone = { timeZone: "Asia/Shanghai", hour12: false };
function timeWords(at) {
  const day = (date) => date.toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai", month: "long", day: "numeric" });
  const clock = at.toLocaleTimeString("zh-CN", { ...zone, hour: "2-digit", minute: "2-digit" });
  return day(at) === day(new Date()) ? clock : `${day(at)} ${clock}`;
}

function bubble({ kind, body, attachment_id: file }) {
  if (kind === "text" || !file) return make("div", "bubble", body || "（无法显示的消息）");
  const box = make("div", "bubble bubble-file");
  const address = `${files}/${file}`;
  if (kind === "image") {
    const button = make("button", "image-button");
    button.type = "button";
    button.setAttribute("aria-label", "查看大图");
    const image = make("img");
    image.alt = "图片";
    image.src = address;
    image.addEventListener("load", () => { if (following) toBottom(); });
    button.append(image);
    button.addEventListener("click", () => view(address));
    box.append(button);
  } else {
    const audio = make("audio");
    audio.controls = true;
    audio.preload = "metadata";
    audio.src = address;
    box.append(audio);
  }
  return box;
}

function view(address) {
  if (!window.HTMLDialogElement) { location.assign(address); return; }
  const dialog = make("dialog", "viewer");
  const image = make("img");
  image.src = address;
  image.alt = "图片";
  const close = make("button", "", "关闭");
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(image, close);
  document.body.append(dialog);
  dialog.showModal();
}

function line(mine, content) {
  const row = make("div", `say-line${mine ? " say-mine" : ""}`);
  const face = make("span", "face", ((mine ? name : peer) || "我")[0]);
  face.setAttribute("aria-hidden", "true");
  row.append(make("span", "for-readers", mine ? "我：" : `${peer}：`), face, content);
  return row;
}

/** A message that the server has. */
export function addMessage(message) {
  begin();
  const follow = following || message.sender === side;
  const at = new Date(message.at);
  if (at - lastAt > GAP) room.append(make("p", "chat-time", timeWords(at)));
  lastAt = at;
  let row;
  if (message.sender === "system") {
    row = make("div", "say-system");
    row.append(make("b", "", "系统消息 "), document.createTextNode(message.body));
  } else {
    row = line(message.sender === side, bubble(message));
  }
  row.dataset.sequence = message.sequence;
  room.insertBefore(row, room.querySelector("[data-pending]"));
  if (follow) toBottom();
  else more.hidden = false;
}

/** A message on its way. */
export function addPending(one, again) {
  begin();
  const row = line(true, bubble(one));
  row.dataset.pending = one.client_id;
  const state = make("span", "say-state", "发送中");
  state.addEventListener("click", () => { if (row.dataset.failed) again(one.client_id, ""); });
  row.append(state);
  room.append(row);
  toBottom();
}

const pending = (clientId) => [...room.querySelectorAll("[data-pending]")].find((row) => row.dataset.pending === clientId);

export function dropPending(clientId) { pending(clientId)?.remove(); }

/** Refused: why, and a way to take it back into the field. */
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
