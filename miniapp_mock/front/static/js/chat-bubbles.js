// What is inside a message: text, a picture (small until it is tapped), a voice note, a card.

const { files, side, prescriptions } = document.getElementById("chat").dataset;
const STAGES = { signed: "已开具，等待药师审核", approved: "已通过审核，可以支付", returned: "药师请医生修改，会多等一会儿", cancelled: "已撤销" };
const OPENS = new Set(["signed", "approved"]);

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

/** `settled` is called when a picture has come and the line has grown. `blob` instead of a file: it is still on its way. */
export function bubble(message, settled) {
  const { kind, body, card, file, blob, attachment_id: id } = message;
  if (card) return CARDS[card.card]?.(card) ?? make("div", "bubble", body);
  if (kind === "image" && (id || blob)) return picture(id ? `${files}/${id}` : URL.createObjectURL(blob), file, blob, settled);
  if (kind === "voice" && (id || blob)) return voice(id ? `${files}/${id}` : URL.createObjectURL(blob), file);
  return make("div", message.machine ? "say-words" : "bubble", body || "（无法显示的消息）");
}

function picture(address, file, blob, settled) {
  const box = make("div", "bubble bubble-file");
  const button = make("button", "image-button");
  button.type = "button";
  button.setAttribute("aria-label", "查看大图");
  const image = make("img");
  image.alt = "图片";
  if (file?.width) { image.width = file.width; image.height = file.height; } // the line keeps its height while it loads
  image.src = file?.small && !blob ? `${address}?size=small` : address;
  image.addEventListener("load", settled);
  button.append(image);
  button.addEventListener("click", () => view(address));
  box.append(button);
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

let playing = null;
function voice(address, file) {
  const button = make("button", "bubble voice");
  button.type = "button";
  const seconds = file?.duration_ms ? Math.max(1, Math.round(file.duration_ms / 1000)) : 0;
  const words = (text) => {
    button.lastElementChild.textContent = text;
    button.setAttribute("aria-label", `语音${seconds ? ` ${seconds} 秒` : ""}，${text === "点击停止" ? "正在播放，点击停止" : "点击播放"}`);
  };
  button.append(make("span", "voice-sign", "▶"), make("span", "", ""));
  if (seconds) button.style.setProperty("--long", Math.min(seconds, 60));
  const idle = () => { button.classList.remove("voice-on"); button.firstElementChild.textContent = "▶"; words(seconds ? `${seconds}″` : "语音"); };
  idle();
  let audio = null;
  button.addEventListener("click", () => {
    if (audio && !audio.paused) { audio.pause(); return; }
    playing?.pause();
    if (!audio) {
      audio = new Audio(address); // nothing is loaded before somebody listens
      audio.addEventListener("pause", idle);
      audio.addEventListener("ended", idle);
      audio.addEventListener("error", () => { idle(); words("播放失败，点击重试"); audio = null; });
    }
    playing = audio;
    button.classList.add("voice-on");
    button.firstElementChild.textContent = "■";
    words("点击停止");
    audio.play().catch(idle);
  });
  return button;
}

function cardBox(title, ...rest) {
  const box = make("div", "bubble chat-card");
  box.append(make("b", "", title), ...rest.filter(Boolean));
  return box;
}

const CARDS = {
  prescription(card) {
    let link = null;
    if (prescriptions && (side === "doctor" || OPENS.has(card.stage))) {
      link = make("a", "link", card.stage === "approved" && side === "patient" ? "去支付" : "查看处方");
      link.href = `${prescriptions}/${card.prescription_id}`;
    }
    return cardBox("电子处方", make("span", "", `${card.drugs} 种药品 · ${STAGES[card.stage] ?? ""}`), link);
  },
  examination(card) {
    const list = make("ul");
    card.items.forEach((item) => list.append(make("li", "", item)));
    return cardBox("建议检查", list, card.note ? make("span", "", card.note) : null,
      make("span", "hint", "请到医院检查，项目以医院开单为准。"));
  },
  notice(card) {
    const box = cardBox(card.title, card.text ? make("span", "", card.text) : null);
    if (card.urgent) box.classList.add("chat-card-urgent");
    return box;
  },
};
