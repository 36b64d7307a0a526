// Two pictures of a live consultation, one connection each; nothing is sent. A broken one is asked for anew.
const root = document.getElementById("look-in");
const LAST = new Set(["replaced", "kicked", "time_over", "closed", "no_room", "no_consent", "room_full"]);
let left = false;

async function watch(video) {
  const party = video.dataset.watches;
  const say = (words) => { root.querySelector(`[data-state="${party}"]`).textContent = words; };
  for (let pause = 1000; !left; pause = Math.min(pause * 2, 8000)) {
    const answer = await fetch(`/look-ins/${root.dataset.lookIn}/tickets/${party}`, { method: "POST" }).catch(() => null);
    const told = answer && await answer.json().catch(() => null);
    if (told && answer.status < 500) {
      if (!answer.ok) return say(told.problem);
      const last = await connected(video, told, say);
      if (last) return say(last);
    }
    say("正在重新连接…");
    await new Promise((done) => setTimeout(done, pause));
  }
}

// Resolves when the connection is over: with the last word, or with nothing when it may be tried again.
function connected(video, { url, ticket, relays }, say) {
  return new Promise((over) => {
    const socket = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`);
    let peer = made();
    const end = (word) => { socket.onclose = null; socket.close(); peer.close(); over(word); };
    function made() {
      const fresh = new RTCPeerConnection({ iceServers: relays, bundlePolicy: "max-bundle" });
      const stream = new MediaStream();
      fresh.ontrack = ({ track }) => { stream.addTrack(track); video.srcObject = stream; };
      fresh.onconnectionstatechange = () => {
        if (fresh.connectionState === "connected") say("");
        if (fresh.connectionState === "failed") end("");
      };
      return fresh;
    }
    const send = (type) => socket.send(JSON.stringify({ type, sdp: peer.localDescription.sdp }));
    socket.onopen = async () => {
      for (const kind of ["audio", "video"]) peer.addTransceiver(kind, { direction: "recvonly" });
      await peer.setLocalDescription(await peer.createOffer());
      send("offer");
    };
    socket.onmessage = async ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "answer") await peer.setRemoteDescription(message);
      if (message.type === "offer") {
        peer.close();
        peer = made();
        await peer.setRemoteDescription({ type: "offer", sdp: message.sdp });
        await peer.setLocalDescription(await peer.createAnswer());
        send("answer");
      }
      if (message.type === "error") end(LAST.has(message.code) ? message.detail : "");
    };
    socket.onclose = () => end("");
    addEventListener("pagehide", () => { left = true; end("已结束"); });
  });
}

for (const video of root.querySelectorAll("video")) watch(video);
