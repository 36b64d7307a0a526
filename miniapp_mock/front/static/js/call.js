// The page of a call around MediaClient: what is said, which buttons are there, and the way back to writing.

import { call } from "./app.js";
import { MediaClient, whyUnsupported } from "../video.js";

const root = document.getElementById("call");
const find = (id) => document.getElementById(id);
const [cover, words, start, state, watched, keys, remote, local] =
  ["call-cover", "call-words", "call-start", "call-state", "call-watched", "call-keys", "remote", "local"].map(find);
const { talk, peer } = root.dataset;
const chat = find("key-chat").href;
let client = null;
let seen = false;

async function ask() {
  try {
    const { url, ticket, ice_servers: iceServers } = await call(`${talk}/room`, { json: {} });
    return { url, ticket, iceServers };
  } catch (error) {
    error.final = error.status >= 400 && error.status < 500 && error.status !== 429;
    throw error;
  }
}

function say(text) {
  state.textContent = text;
  state.hidden = !text;
}

/** The sheet over the picture: with a reason, and a button where trying again makes sense. */
function showCover(text, button) {
  cover.hidden = false;
  keys.hidden = true;
  words.textContent = text;
  start.textContent = button ?? "";
  start.hidden = !button;
  start.disabled = false;
  start.classList.remove("is-busy");
}

function told({ state: now, text }) {
  if (now === "watched" || now === "unwatched") { watched.hidden = now === "unwatched"; return; }
  root.dataset.state = now;
  if (["unsupported", "refused", "closed"].includes(now)) {
    client = null;
    showCover(text, now === "unsupported" ? null : "重新进入视频");
    return;
  }
  if (now === "failed" && !client?.stats) { showCover(text, "重试"); return; }
  if (now === "failed") { say(text); return; }
  if (["connected", "no_camera", "peer_joined"].includes(now)) { cover.hidden = true; keys.hidden = false; }
  if (now === "peer_joined" || now === "peer_media_back") seen = true;
  if (now.startsWith("peer_")) remote.classList.toggle("is-gone", now === "peer_left");
  if (now === "connected") say(seen ? "" : `已接通，等待${peer}进入`);
  else if (now === "peer_joined" || now === "peer_media_back") say("");
  else say(text);
}

async function begin() {
  start.disabled = true;
  start.classList.add("is-busy");
  words.textContent = "正在连接…";
  let first;
  try {
    first = await ask();
  } catch (error) {
    showCover(error.message, error.final ? null : "重试");
    return;
  }
  client = new MediaClient({
    entry: first, getEntry: ask, localVideo: local, remoteVideo: remote, onState: told,
  });
  if (!await client.connect()) client = null;
}

remote.addEventListener("playing", () => { seen = true; if (root.dataset.state === "connected") say(""); });
start.addEventListener("click", begin);

function key(id, toggle, on, off) {
  const button = find(id);
  button.addEventListener("click", () => {
    if (!client) return;
    const isOn = toggle();
    button.setAttribute("aria-pressed", String(isOn));
    button.lastElementChild.textContent = isOn ? on : off;
  });
}
key("key-mic", () => client.toggleMic(), "静音", "取消静音");
key("key-camera", () => {
  const isOn = client.toggleCamera();
  local.classList.toggle("is-off", !isOn);
  return isOn;
}, "关摄像头", "开摄像头");
find("key-end").addEventListener("click", () => { client?.close(); location.assign(chat); });
find("key-chat").addEventListener("click", () => client?.close());
addEventListener("pagehide", () => client?.close());

const problem = whyUnsupported();
if (problem) showCover(problem);
else start.disabled = false; // until here a tap would be lost
