"""A conversation with Janus over its WebSocket: requests with their answers, and what it says by itself."""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

import aiohttp

from foundation.logs import log

PLUGIN = "janus.plugin.videoroom"
ANSWER_WITHIN = 8.0
KEEP_ALIVE_EVERY = 20.0


class JanusRefused(Exception):
    """Janus says no: `code` is its own number."""

    def __init__(self, code: int, problem: str) -> None:
        super().__init__(f"{code}: {problem}")
        self.code = code


class JanusGone(Exception):
    """It does not answer any more."""


Told = Callable[[int, dict[str, Any]], None]
"""What Janus says of a handle by itself: `webrtcup`, `hangup`, `media`, events of the plugin."""


class JanusSession:
    """One session with any number of handles. `open` it inside the event loop, `close` it in the end."""

    def __init__(self, address: str, secret: str, told: Told) -> None:
        self._address = address
        self._secret = secret
        self._told = told
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._id = 0
        self._tasks: list[asyncio.Task[None]] = []
        self.lost = asyncio.Event()

    async def open(self) -> None:
        """Connect."""
        self._http = aiohttp.ClientSession(trust_env=False)
        self._socket = await self._http.ws_connect(
            self._address, protocols=("janus-protocol",), max_msg_size=1_000_000
        )
        self._tasks.append(asyncio.create_task(self._listen()))
        self._id = (await self._request({"janus": "create"}))["data"]["id"]
        self._tasks.append(asyncio.create_task(self._keep_alive()))

    async def close(self) -> None:
        """End it; whoever waits hears `JanusGone`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()
        self._end()

    async def attach(self) -> int:
        """A new handle of the plugin."""
        return int((await self._request({"janus": "attach", "plugin": PLUGIN}))["data"]["id"])

    async def detach(self, handle: int) -> None:
        """Give a handle back; its connection ends. Nothing happens when it is gone."""
        try:
            await self._request({"janus": "detach", "handle_id": handle})
        except (JanusRefused, JanusGone):
            return

    async def ask(
        self, handle: int, body: dict[str, Any], jsep: tuple[str, str] | None = None
    ) -> tuple[dict[str, Any], str]:
        """A request to the plugin, with a description (type, text) if any: its data, and the description that came back."""
        message: dict[str, Any] = {"janus": "message", "handle_id": handle, "body": body}
        if jsep is not None:
            message["jsep"] = {"type": jsep[0], "sdp": jsep[1], "trickle": False}
        answer = await self._request(message)
        data = answer.get("plugindata", {}).get("data", {})
        if "error" in data:
            raise JanusRefused(int(data.get("error_code", 0)), str(data["error"]))
        return data, str(answer.get("jsep", {}).get("sdp", ""))

    async def _request(self, message: dict[str, Any]) -> dict[str, Any]:
        socket, number = self._socket, str(next(self._numbers))
        if socket is None or self.lost.is_set():
            raise JanusGone
        if self._id:
            message["session_id"] = self._id
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            await socket.send_str(json.dumps({**message, "transaction": number, "apisecret": self._secret}))
            async with asyncio.timeout(ANSWER_WITHIN):
                answer = await waiting
        except (TimeoutError, ConnectionError) as error:
            raise JanusGone from error
        finally:
            self._waiting.pop(number, None)
        if answer["janus"] == "error":
            raise JanusRefused(int(answer["error"]["code"]), str(answer["error"]["reason"]))
        return answer

    async def _listen(self) -> None:
        assert self._socket is not None
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._hear(json.loads(message.data))
        finally:
            self._end()

    def _hear(self, told: dict[str, Any]) -> None:
        waiting = self._waiting.get(told.get("transaction", ""))
        if waiting is not None:
            if told["janus"] != "ack" and not waiting.done():
                waiting.set_result(told)
        elif "sender" in told:
            try:
                self._told(int(told["sender"]), told)
            except Exception as error:
                log.error("janus_event_failed", exc_info=error)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_EVERY)
            socket = self._socket
            if socket is None or socket.closed:
                return
            message = {"janus": "keepalive", "session_id": self._id, "apisecret": self._secret}
            await socket.send_str(json.dumps({**message, "transaction": str(next(self._numbers))}))

    def _end(self) -> None:
        self.lost.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(JanusGone())
