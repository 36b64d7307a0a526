// The check of the network before a call: a WebSocket to the media process, which times everything. Here is only the echo.

import { call } from "./app.js";

const PIECE = 4096;
const WITHIN = 12000;

/** What the server found: {up, down, round_trip_ms, enough, detail}. Throws an Error with words for the user. */
export async function probe(talk) {
  const { url, ticket } = await call(`${talk}/probe`, { json: {} });
  await echo(url, ticket);
  return call(`${talk}/probe`, { method: "GET" });
}

function echo(url, ticket) {
  return new Promise((done, fail) => {
    const address = new URL(url, location.href);
    address.searchParams.set("ticket", ticket);
    const socket = new WebSocket(address);
    const over = (problem) => {
      clearTimeout(timer);
      socket.onclose = socket.onmessage = null;
      socket.close();
      if (problem) fail(new Error(problem)); else done();
    };
    const timer = setTimeout(over, WITHIN, "网络没有回应");
    socket.binaryType = "arraybuffer";
    socket.onclose = () => over("连不上视频服务器");
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") { socket.send("got"); return; }
      const told = JSON.parse(data);
      if (told.type === "ping") socket.send("pong");
      // new random bytes each time: what repeats would be compressed on the way, and look faster than it is
      else if (told.type === "send") socket.send(crypto.getRandomValues(new Uint8Array(PIECE)));
      else over(told.type === "measured" ? "" : told.detail);
    };
  });
}
