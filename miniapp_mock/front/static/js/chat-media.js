// Pictures made small enough to send, and voice notes.

const LONGEST_SIDE = 1600;
const LARGEST = 4_500_000;
const LONGEST_NOTE = 60;

/** What can be drawn, the right way up; by an element where createImageBitmap is not known (iOS 14). */
async function decode(file) {
  if (window.createImageBitmap) return createImageBitmap(file, { imageOrientation: "from-image" });
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
  } finally {
    URL.revokeObjectURL(image.src);
  }
  return image;
}

/** A picture as JPEG of at most 1600 pixels; small ones go as they are. Its place and camera are left behind on the way. */
export async function prepareImage(file) {
  let picture;
  try {
    picture = await decode(file);
  } catch {
    throw new Error("这个文件不是能识别的图片，请换一张");
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  if (!blob || blob.size > LARGEST) throw new Error("图片太大，请截取需要的部分再发送");
  return blob;
}

/** Turn a button into a recorder: a tap starts, another sends; after a minute it sends by itself. */
export function recorder(button, send, complain) {
  if (!button) return;
  const kind = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"].find((one) => window.MediaRecorder?.isTypeSupported(one));
  if (!kind || !navigator.mediaDevices?.getUserMedia) { button.hidden = true; return; }
  const label = button.querySelector("span");
  let recording = null;
  let timer = 0;

  async function start() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      complain("没有允许使用麦克风，不能发送语音");
      return;
    }
    const parts = [];
    const began = Date.now();
    recording = new MediaRecorder(stream, { mimeType: kind, audioBitsPerSecond: 24000 });
    recording.ondataavailable = (event) => parts.push(event.data);
    recording.onstop = () => {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
      recording = null;
      button.classList.remove("say-recording");
      label.textContent = "发语音";
      if (Date.now() - began < 1000) complain("说话时间太短");
      else send(new Blob(parts, { type: kind }));
    };
    recording.start();
    button.classList.add("say-recording");
    label.textContent = "0″ 点击发送";
    timer = setInterval(() => {
      const seconds = Math.floor((Date.now() - began) / 1000);
      label.textContent = `${seconds}″ 点击发送`;
      if (seconds >= LONGEST_NOTE) recording?.stop();
    }, 500);
  }

  button.addEventListener("click", () => (recording ? recording.stop() : start()));
}
