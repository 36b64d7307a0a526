// The page of a call around MediaClient: the check before it, what is said, which buttons are there, the way back to writing.

import { call } from "./app.js";
import { check, line, release } from "./call-check.js";
import { MediaClient, whyUnsupported } from "../video.js";

const root = document.getElementById("call");
const find = (id) => document.getElementById(id);
const [cover, words, start, again, write, state, watched, recording, time, keys, remote, local] = [
  "call-cover", "call-words", "call-start", "call-again", "call-write", "call-state", "call-watched", "call-rec", "call-time",
  "call-keys", "remote", "local",
].map(find);
const READ = 2500; // milliseconds to read why the call is over, before the conversation says what comes next
const OVER = ["closed", "time_over", "no_consent", "encounter_not_running", "no_recording_consent"];
const { talk, peer } = root.dataset;
const chat = find("key-chat").href;
let client = null;
let seen = false;
let over = false;
let checked = { stream: null, network: "unknown" };

async function ask() {
  try {
    const { url, ticket, ice_servers: iceServers } = await call(`${talk}/room`, { json: {} });
    return { url, ticket, iceServers };
  } catch (error) {
    error.final = error.status >= 400 && error.status < 500 && error.status !== 429;
    over = OVER.includes(error.code);
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
  cover.classList.remove("is-checking");
  again.hidden = true;
  keys.hidden = true;
  words.textContent = text;
  start.textContent = button ?? "";
  start.hidden = !button;
  start.disabled = false;
  start.classList.remove("is-busy");
}

/** The visit allows no video any more: the conversation, or its summary, says what comes next. */
function goBack(text) {
  over = true;
  showCover(text, null);
  setTimeout(() => location.assign(chat), READ);
}

function showRecording(now) {
  recording.hidden = now === "off";
  recording.textContent = now === "failed" ? "录像中断，正在恢复" : "录像中";
  recording.classList.toggle("is-failed", now === "failed");
}

/** What is shown beside the picture and changes nothing about the call; true when it was that. */
function toldBeside(now, text) {
  if (now === "watched" || now === "unwatched") watched.hidden = now === "unwatched";
  else if (now.startsWith("recording_")) showRecording(now.slice("recording_".length));
  else if (now === "time_left") { time.textContent = text; time.hidden = !text; } else return false;
  return true;
}

function told({ state: now, text, code }) {
  if (toldBeside(now, text)) return;
  root.dataset.state = now;
  if (["reconnecting", "refused", "closed", "failed"].includes(now)) showRecording("off");
  if (now === "refused" && (over || OVER.includes(code))) { client = null; goBack(text); return; }
  if (["unsupported", "refused", "closed"].includes(now)) {
    client = null;
    showCover(text, now === "unsupported" ? null : "重新进入视频");
    return;
  }
  if (now === "failed" && !client?.stats) { showCover(text, "重试"); return; }
  if (now === "failed") { say(text); return; }
  if (["connected", "no_camera", "peer_joined"].includes(now)) {
    cover.hidden = true;
    keys.hidden = false;
    for (const id of ["key-mic", "key-camera"]) find(id).hidden = Boolean(checked.listens);
  }
  if (now === "peer_joined" || now === "peer_media_back") seen = true;
  if (now.startsWith("peer_")) remote.classList.toggle("is-gone", now === "peer_left");
  if (now === "connected") say(seen ? "" : `已接通，等待${peer}进入`);
  else if (now === "peer_joined" || now === "peer_media_back") say(checked.listens ? "您没有麦克风，要说的话请点“文字”发送" : "");
  else if (now === "listening") return;
  else say(text);
}

function stopStream() {
  checked.stream?.getTracks().forEach((track) => track.stop());
  checked.stream = null;
}

/** The check, and after it one of: in with picture, in with the voice alone, or writing. */
async function lookFirst() {
  stopStream();
  delete root.dataset.check;
  cover.classList.remove("is-refused");
  again.hidden = true;
  start.hidden = false;
  start.disabled = true;
  words.textContent = "请允许使用摄像头和麦克风。";
  checked = await check(talk);
  conclude();
}

function conclude() {
  const { stream, network } = checked;
  const picture = Boolean(stream?.getVideoTracks().length);
  const listens = !stream && "mayListen" in root.dataset;
  const refused = network === "slow" || (!stream && !listens);
  root.dataset.check = network === "slow" ? "slow" : stream ? network : "silent";
  cover.classList.toggle("is-refused", refused);
  write.classList.toggle("weui-btn_primary", refused);
  write.classList.toggle("weui-btn_default", !refused);
  start.hidden = refused;
  start.disabled = false;
  start.classList.remove("is-busy");
  start.textContent = picture ? "开始视频" : listens ? "只看只听进入" : "只用语音进入";
  again.hidden = !refused && picture && network === "ok";
  checked.listens = listens && network !== "slow";
  if (network === "slow") words.textContent = "网络太慢，视频会卡。请换个网络再检测，或继续用文字交流。";
  else if (listens) words.textContent = "没有麦克风。可以进入看和听医生，您的话用文字发送；想说话请按上面的提示处理后再检测。医生的画面和声音会录像。";
  else if (!stream) words.textContent = "没有麦克风，不能通话。请按上面的提示处理后再检测，或继续用文字交流。";
  else if (!picture) words.textContent = "没有画面，可以只用语音，对方看不到您。通话会录音。";
  else if (network === "ok") words.textContent = "都准备好了。本次视频会录像。";
  else words.textContent = "没有测出网速，可以直接试试。本次视频会录像。";
  if (refused) { release(); stopStream(); } // nobody is filmed who is not in a call
}

async function begin() {
  release();
  start.disabled = true;
  start.classList.add("is-busy");
  words.textContent = "正在连接…";
  let first;
  try {
    first = await ask();
  } catch (error) {
    if (error.code === "network_too_slow") { checked.network = "slow"; conclude(); }
    else if (over) goBack(error.message);
    else showCover(error.message, error.final ? null : "重试");
    return;
  }
  client = new MediaClient({
    entry: first, getEntry: ask, stream: checked.stream, listens: checked.listens, localVideo: local, remoteVideo: remote, onState: told,
  });
  if (!await client.connect()) client = null;
}

remote.addEventListener("playing", () => { seen = true; if (root.dataset.state === "connected") say(""); });
start.addEventListener("click", begin);
again.addEventListener("click", lookFirst);

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
addEventListener("pagehide", () => { client?.close(); release(); stopStream(); });

cover.classList.remove("is-plain"); // from here on the page is more than its plain fallback
const problem = whyUnsupported();
if (problem) {
  start.hidden = true;
  words.textContent = problem;
  line("browser", "bad", "不支持视频");
} else lookFirst();
