// What is looked at before a call, line by line: browser, camera, microphone, network. Says what to do where it is not well.

import { listen, openDevices } from "./call-devices.js";
import { probe } from "./call-network.js";

const list = document.getElementById("call-check");
const view = document.getElementById("check-view");
const level = document.getElementById("check-level");
let stop = () => {};

/** One line: state is wait, ok, poor or bad. */
export function line(name, state, text) {
  const row = list.querySelector(`[data-check=${name}]`);
  row.dataset.state = state;
  row.querySelector(".check-words").textContent = text;
}

/** Everything at once. {stream, network}: network is "ok", "slow" (refused) or "unknown". */
export async function check(talk) {
  release();
  line("browser", "ok", "可以视频");
  line("camera", "wait", "请允许使用摄像头");
  line("microphone", "wait", "请允许使用麦克风");
  line("network", "wait", "正在测网速，约 5 秒");
  const [devices, network] = await Promise.all([checkDevices(), checkNetwork(talk)]);
  return { ...devices, network };
}

/** Ends the level and the small picture; the stream itself belongs to whoever asked for the check. */
export function release() {
  stop();
  stop = () => {};
  level.style.transform = "";
  view.srcObject = null;
  view.classList.remove("is-on");
}

async function checkDevices() {
  const { stream, camera, microphone } = await openDevices(view);
  line("camera", camera.state, camera.text);
  line("microphone", microphone.state, microphone.text);
  view.classList.toggle("is-on", Boolean(stream?.getVideoTracks().length));
  if (stream) {
    stop = listen(stream, (now) => { level.style.transform = `scaleX(${now})`; }, (what) => {
      if (what === "heard") line("microphone", "ok", "声音正常");
      else line("microphone", "poor", "还没听到声音，请对着手机说句话");
    });
  }
  return { stream };
}

async function checkNetwork(talk) {
  try {
    const found = await probe(talk);
    if (found.up === null) { line("network", "poor", found.detail); return "unknown"; }
    const figures = `上传 ${bitrate(found.up)}，下载 ${bitrate(found.down)}，延迟 ${found.round_trip_ms} 毫秒`;
    line("network", found.enough ? "ok" : "bad", found.enough ? `${found.detail}。${figures}` : `网络太慢。${figures}`);
    return found.enough ? "ok" : "slow";
  } catch (error) {
    line("network", "poor", `${error.message}，没有测出网速`);
    return "unknown";
  }
}

function bitrate(bits) {
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} 兆` : `${Math.round(bits / 1000)} K`;
}
