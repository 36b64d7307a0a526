// Camera and microphone before a call: allowed, a picture that is not black, a level that moves. The stream goes on into
// the call, so that nobody is asked twice.

import { capture } from "../video.js";

const PICTURE_WITHIN = 4000;
const QUIET_FOR = 3000;
const HEARD = 0.015;
const BLACK = 12;
const VOICE_ALONE = "可以只用语音";

/** {stream, camera, microphone}: each device is {state: "ok" | "poor" | "bad", text}; without a microphone no stream. */
export async function openDevices(view) {
  try {
    const stream = await capture();
    return { stream, camera: await look(stream, view), microphone: { state: "ok", text: "请说句话试试" } };
  } catch (error) {
    const camera = { state: "poor", text: whyNot(error, VOICE_ALONE) };
    try {
      const stream = await capture({ picture: false });
      return { stream, camera, microphone: { state: "ok", text: "请说句话试试" } };
    } catch (alone) {
      return { stream: null, camera, microphone: { state: "bad", text: whyNot(alone, "请插好后再检测") } };
    }
  }
}

function whyNot(error, without) {
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "没有允许使用，请在浏览器或微信的设置里打开";
    case "NotReadableError":
    case "AbortError":
      return "被其他应用占用，请关闭后再检测";
    case "NotFoundError":
    case "OverconstrainedError":
      return `没有找到，${without}`;
    default:
      return "不能使用，请换个浏览器";
  }
}

async function look(stream, view) {
  const [track] = stream.getVideoTracks();
  if (!track) return { state: "poor", text: `没有找到，${VOICE_ALONE}` };
  view.muted = view.playsInline = true;
  view.srcObject = stream;
  view.play().catch(() => {});
  const until = performance.now() + PICTURE_WITHIN;
  while (performance.now() < until) {
    if (view.videoWidth && brightness(view) > BLACK) return { state: "ok", text: "画面正常" };
    await new Promise((go) => { setTimeout(go, 100); });
  }
  if (view.videoWidth) return { state: "poor", text: "画面是黑的，请看看镜头有没有被遮住" };
  return { state: "poor", text: "没有画面，请关闭其他正在用摄像头的应用" };
}

/** The brightest point of a tiny copy, 0 to 255: a dark room still has one, a covered lens has none. */
function brightness(view) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [16, 12];
  const context = canvas.getContext("2d");
  context.drawImage(view, 0, 0, 16, 12);
  const { data } = context.getImageData(0, 0, 16, 12);
  let most = 0;
  for (let i = 0; i < data.length; i += 4) most = Math.max(most, data[i], data[i + 1], data[i + 2]);
  return most;
}

/** Tells the level, 0 to 1, ten times a second, and what it means when that changes. Returns how to stop it. */
export function listen(stream, onLevel, onHeard) {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  if (!Context) return () => {};
  const context = new Context();
  const meter = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(meter);
  const samples = new Uint8Array(meter.fftSize); // bytes: the float variant came late to iOS
  const begun = performance.now();
  let told = "";
  const wake = () => context.resume();
  document.addEventListener("click", wake);
  const timer = setInterval(() => {
    if (context.state !== "running") return; // some browsers measure only after a tap
    meter.getByteTimeDomainData(samples);
    const level = Math.max(...samples.map((one) => Math.abs(one - 128))) / 128;
    onLevel(Math.min(1, Math.sqrt(level)));
    const now = level > HEARD ? "heard" : told || (performance.now() - begun > QUIET_FOR ? "quiet" : "");
    if (now && now !== told && told !== "heard") onHeard(told = now);
  }, 100);
  return () => {
    clearInterval(timer);
    document.removeEventListener("click", wake);
    context.close().catch(() => {});
  };
}
