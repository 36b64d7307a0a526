// The browser's side of a video consultation: one object that keeps the call alive.
//
//   const client = new MediaClient({ getEntry, entry, stream, localVideo, remoteVideo, onState });
//   await client.connect();      // from a click, so that sound may play
//   client.toggleMic();          // -> true when the microphone is on now
//   client.close();
//
// An entry is {url, ticket, iceServers}: the signalling address (ws:// or wss://…/rooms/<encounter>), the ticket that opens
// it once, and the relays. The first may be handed in; for every further connection `await getEntry()` is asked anew,
// because a room whose server died lives at another address. A stream that is open already is taken as it is: nobody is asked
// for camera and microphone twice. It may throw an Error with `final = true` when there will be
// none (the visit is over): its message is shown and nothing is tried again.
// `onState({state, text, code})` is told: unsupported, asking, connecting, connected, peer_joined, peer_left,
// peer_listens, listening, peer_media_lost, peer_media_back, watched, unwatched, recording_on, recording_failed, recording_off, time_left, needs_tap, no_camera, reconnecting, refused, failed, closed. `text`
// is for the user.
//
// The way back is always a whole new connection: WebSocket and RTCPeerConnection together. The server never
// renegotiates; its m-lines are audio, video. A server that keeps the way down apart offers it as a connection of its own,
// which replaces the one before.

const DISCONNECTED_FOR = 3000;
const CONNECT_WITHIN = 12000;
const BYE_WITHIN = 800;
const BACKOFF = [300, 1000, 2000, 4000, 8000];
const VIDEO_BITRATE = 800000;
const FINAL = new Set([
  "replaced", "kicked", "time_over", "closed", "no_consent", "no_room", "role_taken", "room_full", "bad_offer", "codec_not_offered",
  "bad_message", "already_joined",
]);

const TEXT = {
  asking: "请允许使用摄像头和麦克风",
  connecting: "正在连接…",
  connected: "已连接",
  peer_joined: "对方已进入视频",
  peer_listens: "对方没有麦克风和摄像头，能看到、听到您，会用文字回复",
  listening: "您没有麦克风和摄像头，可以看到、听到对方，请用文字回复",
  peer_left: "对方已离开视频",
  peer_media_lost: "对方网络不稳定，请稍候",
  peer_media_back: "对方网络已恢复",
  watched: "监管人员正在查看本次视频",
  unwatched: "监管人员已离开",
  needs_tap: "请轻触画面开始播放",
  no_camera: "没有摄像头画面，对方只能听到您的声音",
  reconnecting: "网络中断，正在重新连接…",
  failed: "视频连接失败，请检查网络后重试，或继续用文字交流",
  closed: "视频已结束",
};

/** Which browser to use instead. What it can do is found by trying; its name only chooses the words. */
function useInstead() {
  const name = navigator.userAgent;
  const apple = /iPhone|iPad/.test(name);
  if (/miniProgram/i.test(name) || window.__wxjs_environment === "miniprogram") {
    return `当前微信版本不支持视频，请更新微信${apple ? "，系统需 iOS 14.3 以上" : ""}，或继续用文字交流`;
  }
  if (/MicroMessenger/i.test(name)) {
    return `微信里打不开视频，请点右上角“…”，选择在${apple ? " Safari（iOS 14.3 以上）" : "浏览器中"}打开，或继续用文字交流`;
  }
  return `当前浏览器不支持视频，请换用${apple ? " Safari（iOS 14.3 以上）" : "新版 Chrome、Edge 或手机自带浏览器"}打开，或继续用文字交流`;
}

/** Why this browser cannot do video, as a sentence for the user; an empty string when it can. */
export function whyUnsupported() {
  if (!window.isSecureContext) return "当前页面不是安全连接，无法使用摄像头，请用 https 打开，或继续用文字交流";
  if (!window.WebSocket || !window.RTCPeerConnection || !navigator.mediaDevices?.getUserMedia) return useInstead();
  if (!("addTransceiver" in RTCPeerConnection.prototype)) return useInstead();
  return "";
}

/** What a failed getUserMedia means, as a sentence for the user. */
function whyNoMedia(error) {
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "您没有允许使用摄像头和麦克风，请在浏览器或系统设置中允许后重试";
    case "NotReadableError":
    case "AbortError":
      return "摄像头或麦克风正被其他应用使用，请关闭后重试";
    case "NotFoundError":
    case "OverconstrainedError":
      return "没有找到可用的麦克风，请检查设备后重试";
    default:
      return useInstead();
  }
}

/** The stream of a call; `picture: false` asks for the voice alone. */
export function capture({ picture = true } = {}) {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const video = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 20, max: 30 }, facingMode: "user" };
  return navigator.mediaDevices.getUserMedia(picture ? { audio, video } : { audio });
}

// No private methods (#x): the web views of iOS 14 do not know them.
export class MediaClient {
  _options;
  _entry;
  _stream = null;
  _attempt = null; // the present connection: {socket, peer, down, timers, ended}
  _failures = 0;
  _retryTimer = 0;
  _closed = false;
  _wasConnected = false;
  _micOn = true;
  _cameraOn = true;
  _onOnline = () => this._retryNow();

  constructor({
    entry = null, getEntry, stream = null, listens = false, localVideo = null, remoteVideo = null, onState = () => {}, relayOnly = false,
  }) {
    this._options = { getEntry, stream, listens, localVideo, remoteVideo, onState, relayOnly };
    this._entry = entry;
  }

  /** Ask for camera and microphone, then connect. Resolves when the first attempt has begun; false when it cannot. */
  async connect() {
    const problem = whyUnsupported();
    if (problem) {
      this._tell("unsupported", problem);
      return false;
    }
    this._tell("asking");
    try {
      this._stream = await this._capture();
    } catch (error) {
      this._tell("failed", whyNoMedia(error), error?.name ?? "");
      return false;
    }
    if (this._closed) {
      this._stopCapture();
      return false;
    }
    const { localVideo } = this._options;
    if (localVideo && !this._options.listens) {
      localVideo.muted = true;
      localVideo.playsInline = true;
      localVideo.srcObject = this._stream;
      localVideo.play().catch(() => {});
    }
    window.addEventListener("online", this._onOnline);
    await this._begin();
    return true;
  }

  /** Leave for good. */
  close() {
    if (this._closed) return;
    this._finish("closed", TEXT.closed, "", true);
  }

  /** Switch the microphone; true when it is on now. */
  toggleMic() {
    this._micOn = !this._micOn;
    this._stream?.getAudioTracks().forEach((track) => { track.enabled = this._micOn; });
    return this._micOn;
  }

  /** Switch the camera; true when it is on now. */
  toggleCamera() {
    this._cameraOn = !this._cameraOn;
    this._stream?.getVideoTracks().forEach((track) => { track.enabled = this._cameraOn; });
    return this._cameraOn;
  }

  /** Figures of the present connection, null when there is none. */
  async stats() {
    const { peer, down } = this._attempt ?? {};
    if (!peer || peer.connectionState === "closed") return null;
    const report = new Map(await peer.getStats());
    if (down) (await down.getStats()).forEach((entry) => report.set(`down ${entry.id}`, entry));
    const all = [...report.values()];
    const find = (type, kind) => all.find((entry) => entry.type === type && entry.kind === kind) ?? {};
    const videoIn = find("inbound-rtp", "video");
    const audioIn = find("inbound-rtp", "audio");
    const videoOut = find("outbound-rtp", "video");
    const pair = all.find((entry) => entry.type === "candidate-pair" && entry.nominated && entry.state === "succeeded") ?? {};
    return {
      framesDecoded: videoIn.framesDecoded ?? 0,
      keyFramesDecoded: videoIn.keyFramesDecoded ?? 0,
      framesPerSecond: videoIn.framesPerSecond ?? 0,
      frameWidth: videoIn.frameWidth ?? 0,
      frameHeight: videoIn.frameHeight ?? 0,
      freezeCount: videoIn.freezeCount ?? 0,
      videoPacketsLost: videoIn.packetsLost ?? 0,
      audioEnergy: audioIn.totalAudioEnergy ?? 0,
      audioSeconds: audioIn.totalSamplesDuration ?? 0,
      audioSamples: audioIn.totalSamplesReceived ?? 0,
      audioConcealed: audioIn.concealedSamples ?? 0,
      framesSent: videoOut.framesSent ?? 0,
      bytesSent: videoOut.bytesSent ?? 0,
      codec: all.find((entry) => entry.type === "codec" && entry.id === videoIn.codecId)?.mimeType ?? "",
      roundTripTime: pair.currentRoundTripTime ?? null,
      availableUp: pair.availableOutgoingBitrate ?? null,
      candidateType: report.get(pair.localCandidateId)?.candidateType ?? "",
      relayProtocol: report.get(pair.localCandidateId)?.relayProtocol ?? "",
    };
  }

  // inside

  _tell(state, text = TEXT[state] ?? "", code = "") {
    try {
      this._options.onState({ state, text, code });
    } catch (error) {
      console.error(error);
    }
  }

  async _capture() {
    const { stream, listens } = this._options;
    if (listens) { this._tell("listening"); return new MediaStream(); }
    if (stream?.getAudioTracks().some((track) => track.readyState === "live")) {
      if (!stream.getVideoTracks().length) this._tell("no_camera");
      return stream;
    }
    try {
      return await capture();
    } catch (error) {
      if (error?.name !== "NotFoundError" && error?.name !== "OverconstrainedError") throw error;
      const onlySound = await capture({ picture: false });
      this._tell("no_camera");
      return onlySound;
    }
  }

  _stopCapture() {
    this._stream?.getTracks().forEach((track) => track.stop());
    this._stream = null;
  }

  /** One attempt: an entry, a WebSocket, a peer connection. */
  async _begin() {
    if (this._closed) return;
    this._tell(this._wasConnected ? "reconnecting" : "connecting");
    const attempt = { socket: null, peer: null, down: null, timers: [], lostTimer: 0, ended: false };
    this._attempt = attempt;
    try {
      const { url, ticket, iceServers } = this._entry ?? await this._options.getEntry();
      this._entry = null;
      if (this._closed || attempt.ended) return;
      const address = new URL(url, window.location.href);
      address.searchParams.set("ticket", ticket);
      attempt.timers.push(setTimeout(() => this._again(attempt), CONNECT_WITHIN));
      attempt.socket = new WebSocket(address);
      attempt.peer = this._makePeer(attempt, iceServers ?? []);
      attempt.socket.onmessage = (event) => this._message(attempt, event.data);
      attempt.socket.onclose = () => this._again(attempt);
      attempt.socket.onopen = () => this._offer(attempt).catch(() => this._again(attempt));
    } catch (error) {
      if (error?.final) this._finish("refused", error.message, "no_ticket", false);
      else this._again(attempt);
    }
  }

  _makePeer(attempt, iceServers) {
    const peer = new RTCPeerConnection({
      iceServers,
      iceTransportPolicy: this._options.relayOnly ? "relay" : "all",
      bundlePolicy: "max-bundle",
    });
    for (const kind of ["audio", "video"]) {
      const track = this._stream.getTracks().find((one) => one.kind === kind);
      const settings = { direction: "sendrecv", streams: [this._stream] };
      if (track && kind === "video") settings.sendEncodings = [{ maxBitrate: VIDEO_BITRATE }];
      peer.addTransceiver(track ?? kind, settings);
    }
    this._showTracksOf(peer);
    peer.oniceconnectionstatechange = () => this._iceChanged(attempt);
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") this._again(attempt);
    };
    return peer;
  }

  _showTracksOf(peer) {
    const remote = new MediaStream();
    peer.ontrack = ({ track }) => {
      remote.addTrack(track);
      this._show(remote);
    };
  }

  /** What the other side sends, offered by the server: answered on a connection of its own. */
  async _takeOffer(attempt, sdp) {
    attempt.down?.close();
    const { iceServers, iceTransportPolicy } = attempt.peer.getConfiguration();
    const down = attempt.down = new RTCPeerConnection({ iceServers, iceTransportPolicy, bundlePolicy: "max-bundle" });
    this._showTracksOf(down);
    down.onconnectionstatechange = () => {
      if (down.connectionState === "failed" && attempt.down === down) this._again(attempt);
    };
    await down.setRemoteDescription({ type: "offer", sdp });
    await down.setLocalDescription(await down.createAnswer());
    if (!attempt.ended && attempt.down === down) {
      attempt.socket.send(JSON.stringify({ type: "answer", sdp: down.localDescription.sdp }));
    }
  }

  /** The server's address is public: the offer goes out at once, without waiting for candidates of our own. */
  async _offer(attempt) {
    const { peer, socket } = attempt;
    await peer.setLocalDescription(await peer.createOffer());
    const listens = this._options.listens ? { listens: true } : {};
    if (!attempt.ended) socket.send(JSON.stringify({ type: "offer", sdp: peer.localDescription.sdp, ...listens }));
  }

  async _message(attempt, data) {
    if (attempt.ended) return;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message.type === "answer") {
      try {
        await attempt.peer.setRemoteDescription({ type: "answer", sdp: message.sdp });
      } catch {
        this._again(attempt);
      }
    } else if (message.type === "offer") {
      try {
        await this._takeOffer(attempt, message.sdp);
      } catch {
        this._again(attempt);
      }
    } else if (message.type === "peer") {
      this._tell(`peer_${message.state}`);
    } else if (message.type === "watched") {
      this._tell(message.watching ? "watched" : "unwatched");
    } else if (message.type === "recording") {
      this._tell(`recording_${message.state}`);
    } else if (message.type === "time") {
      this._tell("time_left", message.minutes ? `还剩 ${message.minutes} 分钟` : "");
    } else if (message.type === "error") {
      this._refused(attempt, message);
    }
  }

  _refused(attempt, { code, detail }) {
    if (FINAL.has(code)) {
      this._finish("refused", detail, code, false);
    } else {
      this._again(attempt, detail, code);
    }
  }

  _iceChanged(attempt) {
    if (attempt.ended) return;
    const state = attempt.peer.iceConnectionState;
    clearTimeout(attempt.lostTimer);
    if (state === "connected" || state === "completed") {
      attempt.timers.forEach(clearTimeout);
      attempt.timers = [];
      this._failures = 0;
      this._wasConnected = true;
      this._tell("connected");
    } else if (state === "disconnected") {
      attempt.lostTimer = setTimeout(() => this._again(attempt), DISCONNECTED_FOR);
    } else if (state === "failed") {
      this._again(attempt);
    }
  }

  /** Throw this attempt away and plan the next. */
  _again(attempt, text, code) {
    if (attempt.ended || this._closed) return;
    this._drop(attempt);
    const wait = BACKOFF[Math.min(this._failures, BACKOFF.length - 1)];
    this._failures += 1;
    if (this._failures === BACKOFF.length + 1) this._tell("failed");
    else this._tell("reconnecting", text ?? TEXT.reconnecting, code ?? "");
    clearTimeout(this._retryTimer);
    this._retryTimer = setTimeout(() => { this._retryTimer = 0; this._begin(); }, wait);
  }

  _retryNow() {
    if (this._closed || !this._retryTimer) return;
    clearTimeout(this._retryTimer);
    this._retryTimer = 0;
    this._begin();
  }

  _drop(attempt) {
    if (attempt.ended) return;
    attempt.ended = true;
    attempt.timers.forEach(clearTimeout);
    clearTimeout(attempt.lostTimer);
    if (attempt.socket) {
      attempt.socket.onmessage = attempt.socket.onclose = attempt.socket.onopen = null;
      attempt.socket.close();
    }
    attempt.peer?.close();
    attempt.down?.close();
  }

  _finish(state, text, code, sayBye) {
    this._closed = true;
    clearTimeout(this._retryTimer);
    window.removeEventListener("online", this._onOnline);
    const attempt = this._attempt;
    if (attempt && !attempt.ended) {
      if (sayBye && attempt.socket?.readyState === WebSocket.OPEN) this._sayBye(attempt);
      else this._drop(attempt);
    }
    this._stopCapture();
    const { localVideo, remoteVideo } = this._options;
    for (const element of [localVideo, remoteVideo]) {
      if (element) element.srcObject = null;
    }
    this._tell(state, text, code);
  }

  /** The server ends the connection when it has read the bye: so it knows that nobody was cut off. */
  _sayBye(attempt) {
    attempt.socket.onclose = () => this._drop(attempt);
    attempt.timers.push(setTimeout(() => this._drop(attempt), BYE_WITHIN));
    attempt.socket.send(JSON.stringify({ type: "bye" }));
  }

  _show(stream) {
    const { remoteVideo } = this._options;
    if (!remoteVideo || this._closed) return;
    remoteVideo.playsInline = true;
    if (remoteVideo.srcObject !== stream) remoteVideo.srcObject = stream;
    remoteVideo.play().catch((error) => {
      if (error?.name !== "NotAllowedError") return; // AbortError: another track just came
      this._tell("needs_tap");
      remoteVideo.addEventListener("click", () => remoteVideo.play().catch(() => {}), { once: true });
    });
  }
}
