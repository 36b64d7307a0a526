// A paper is made small, sent, and the page shows it.

import { call, toast } from "./app.js";
import { prepareImage } from "./chat-media.js";

const box = document.getElementById("paper");
const file = document.getElementById("paper-file");
const dated = document.getElementById("dated");

file.addEventListener("change", async () => {
  const [picked] = file.files;
  file.value = "";
  if (!picked) return;
  if (!dated.value) { toast("请先填写材料上的日期"); dated.focus(); return; }
  const kind = box.querySelector("[name=kind]:checked").value;
  box.setAttribute("aria-busy", "true");
  toast("正在上传…", 20000);
  try {
    const small = await prepareImage(picked);
    await call(`${box.dataset.to}?kind=${kind}&dated=${dated.value}`, { body: small, type: small.type });
    location.reload();
  } catch (error) {
    toast(Object.values(error.fields ?? {})[0] ?? error.message, 5000);
    box.removeAttribute("aria-busy");
  }
});
