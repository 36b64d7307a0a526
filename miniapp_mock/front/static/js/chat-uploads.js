// Pictures and voice notes on their way to the server, in pieces. What has arrived stays there: after a break, a reload or an
// hour in a tunnel the next piece begins where the last one ended. The bytes wait in this browser (IndexedDB) until they are safe,
// also while the time to talk is over: the doctor may prolong it.

import { call } from "./app.js";

const STORE = "files";
const SLOW = 3000; // a piece should take about so long: small ones on a bad network, large ones on a good one
const SMALLEST = 8 * 1024;
const AGAIN = new Set(["wrong_offset", "no_shift", "time_over"]);
const LATER = new Set([401, 408, 429]);
/** Fired on the window when something was said: what waited for the talk to go on is tried again. */
export const TALK_GOES_ON = "talk-goes-on";
const BACKOFF = [1000, 2000, 4000, 8000, 15000, 30000];

let opening = null;
function database() {
  opening ??= new Promise((done, fail) => {
    const asked = indexedDB.open("chat-uploads", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "client_id" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  return opening;
}

/** Whether the server said no for good; what it only does not take now is kept and sent again. */
export const isFinal = ({ status, code }) => status >= 400 && status < 500 && !LATER.has(status) && !AGAIN.has(code);

/** Where the browser keeps nothing (private windows), a file lives as long as the page. */
async function store(mode, use) {
  try {
    const files = (await database()).transaction(STORE, mode).objectStore(STORE);
    return await new Promise((done, fail) => {
      const asked = use(files);
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => fail(asked.error);
    });
  } catch {
    return null;
  }
}

/** The file is said in the conversation, or taken back. */
export const forget = (clientId) => store("readwrite", (files) => files.delete(clientId));

/** Files of this conversation that were not through when the page was left. */
export async function unfinished(talk) {
  const all = await store("readonly", (files) => files.getAll());
  return (all ?? []).filter((one) => one.talk === talk);
}

/**
 * Send a file and go on trying until it is there: resolves with the attachment. `file` is {client_id, talk, kind, blob};
 * `tell(share)` hears how much is safe, from 0 to 1, `wait(error)` why it does not go on. Rejects when the server does not want it.
 */
export async function upload(file, tell, wait) {
  await store("readwrite", (files) => files.put(file));
  let failures = 0;
  for (;;) {
    try {
      return await attempt(file, (share) => { failures = 0; tell(share); });
    } catch (error) {
      if (isFinal(error)) {
        await forget(file.client_id);
        throw error;
      }
      wait(error);
      await pause(BACKOFF[Math.min(failures, BACKOFF.length - 1)]);
      failures += 1;
    }
  }
}

/** Until the next try, or until the network is said to be back, or somebody speaks again. */
function pause(time) {
  return new Promise((done) => {
    const timer = setTimeout(done, time);
    const go = () => { clearTimeout(timer); done(); };
    addEventListener("online", go, { once: true });
    addEventListener(TALK_GOES_ON, go, { once: true });
  });
}

async function attempt({ client_id, talk, blob, prefix }, tell) {
  const begun = { client_id, media_type: blob.type.split(";")[0], size: blob.size };
  let state = await call(`${talk}/uploads`, { json: begun });
  let piece = 32 * 1024;
  while (!state.attachment) {
    tell(state.offset / state.size);
    const began = performance.now();
    state = await call(`${prefix}/uploads/${state.id}`, {
      method: "PATCH",
      body: blob.slice(state.offset, state.offset + Math.min(piece, state.piece)),
      type: "application/offset+octet-stream",
      headers: { "Upload-Offset": String(state.offset) },
      within: 60000,
    });
    const took = performance.now() - began;
    piece = Math.max(SMALLEST, Math.min(state.piece, Math.round(piece * Math.min(4, SLOW / Math.max(took, 1)))));
  }
  tell(1);
  return state.attachment;
}
