// A supervisor's view of a live consultation: one connection per party, nothing is ever sent.

const root = document.getElementById("look-in");
const FINAL = new Set(["time_over", "closed", "no_room", "kicked", "replaced", "no_consent", "room_full", "bad_offer", "codec_not_offered"]);
const BACKOFF = [500, 1000, 2000, 4000];
let ended = false;

class View {
  constructor(video) {
    this.video = video;
    this.state = root.querySelector(`[data-state="${video.dataset.watches}"]`);
    this.failures = 0;
    this.begin();
  }

  say(text) { this.state.textContent = text; }

  async begin() {
    if (ended) return;
    const attempt = this.attempt = { socket: null, peer: null, over: false };
    try {
      const { url, ticket, ice_servers: iceServers } = await this.entry();
      attempt.socket = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`);
      attempt.peer = this.connection(attempt, iceServers);
      for (const kind of ["audio", "video"]) attempt.peer.addTransceiver(kind, { direction: "recvonly" });
      attempt.socket.onclose = () => this.again(attempt);
      attempt.socket.onmessage = (event) => this.message(attempt, JSON.parse(event.data)).catch(() => this.again(attempt));
      attempt.socket.onopen = async () => {
        await attempt.peer.setLocalDescription(await attempt.peer.createOffer());
        attempt.socket.send(JSON.stringify({ type: "offer", sdp: attempt.peer.localDescription.sdp }));
      };
    } catch (error) {
      if (error.final) this.finish(attempt, error.message);
      else this.again(attempt);
    }
  }

  async entry() {
    const answer = await fetch(`/desk/look-in-tickets/${root.dataset.look}/${this.video.dataset.watches}`, {
      method: "POST", body: new URLSearchParams({ csrf: root.dataset.csrf }), credentials: "same-origin",
    });
    const told = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(told.detail), { final: answer.status < 500 });
    return told;
  }

  connection(attempt, iceServers) {
    const peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    const stream = new MediaStream();
    peer.ontrack = ({ track }) => {
      stream.addTrack(track);
      this.video.srcObject = stream;
      this.video.play().catch(() => {});
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "connected") { this.failures = 0; this.say(""); }
      if (peer.connectionState === "failed" && attempt.peer === peer) this.again(attempt);
    };
    return peer;
  }

  async message(attempt, message) {
    if (attempt.over) return;
    if (message.type === "answer") {
      await attempt.peer.setRemoteDescription({ type: "answer", sdp: message.sdp });
      this.say("等待对方画面…");
    } else if (message.type === "offer") {
      const { iceServers } = attempt.peer.getConfiguration();
      attempt.peer.close();
      attempt.peer = this.connection(attempt, iceServers);
      await attempt.peer.setRemoteDescription({ type: "offer", sdp: message.sdp });
      await attempt.peer.setLocalDescription(await attempt.peer.createAnswer());
      attempt.socket.send(JSON.stringify({ type: "answer", sdp: attempt.peer.localDescription.sdp }));
    } else if (message.type === "peer" && message.role === this.video.dataset.watches) {
      this.say({ left: "已离开视频", media_lost: "网络不稳定" }[message.state] ?? "");
    } else if (message.type === "error") {
      if (FINAL.has(message.code)) this.finish(attempt, message.detail);
      else this.again(attempt);
    }
  }

  again(attempt) {
    if (attempt.over || ended) return;
    this.drop(attempt);
    this.say("正在重新连接…");
    setTimeout(() => this.begin(), BACKOFF[Math.min(this.failures++, BACKOFF.length - 1)]);
  }

  finish(attempt, text) {
    this.drop(attempt);
    this.video.srcObject = null;
    this.say(text);
  }

  drop(attempt) {
    attempt.over = true;
    if (attempt.socket) {
      attempt.socket.onclose = attempt.socket.onmessage = null;
      if (attempt.socket.readyState === WebSocket.OPEN) attempt.socket.send(JSON.stringify({ type: "bye" }));
      attempt.socket.close();
    }
    attempt.peer?.close();
  }
}

if (root && window.RTCPeerConnection) {
  const views = [...root.querySelectorAll("video")].map((video) => new View(video));
  const end = () => {
    ended = true;
    for (const view of views) view.drop(view.attempt);
  };
  addEventListener("pagehide", end);
  const sound = document.getElementById("look-sound");
  sound.addEventListener("click", () => {
    const on = sound.getAttribute("aria-pressed") !== "true";
    sound.setAttribute("aria-pressed", String(on));
    sound.textContent = on ? "关闭声音" : "打开声音";
    for (const view of views) view.video.muted = !on;
  });
}
