"""Has a file made anew by a child process (`backend.chat.remake`): decoders meet strangers' bytes outside this process.

The child gets no settings, no sockets and a limit on time and memory; when it dies, a file is refused and nothing else happens.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass

import msgspec

from backend.chat import rules
from foundation.errors import Unavailable, invalid
from foundation.logs import log

AT_ONCE = 2
WITHIN_SECONDS = 25.0
REFUSED = 3
CHILD = ("-m", "backend.chat.remake")


class About(msgspec.Struct, frozen=True):
    """What the child says of one result."""

    media_type: str
    size: int
    width: int = 0
    height: int = 0
    duration_ms: int = 0


@dataclass(frozen=True)
class Made:
    """One result."""

    about: About
    content: bytes


_gates: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


def _gate() -> asyncio.Semaphore:
    """At most so many children of one process."""
    loop = asyncio.get_running_loop()
    for old in [one for one in _gates if one.is_closed()]:
        del _gates[old]
    return _gates.setdefault(loop, asyncio.Semaphore(AT_ONCE))


async def remade(media_type: str, data: bytes) -> list[Made]:
    """A picture and its small twin, or a voice note. `Invalid` when it is not what it says, too long, too large."""
    async with _gate():
        child = await asyncio.create_subprocess_exec(
            sys.executable, *CHILD, media_type, stdin=PIPE, stdout=PIPE, stderr=PIPE,
            env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        )  # fmt: skip
        out, problem = await _within(child, data)
    if child.returncode == REFUSED:
        code = out.decode("ascii", "replace")
        raise invalid("body", code, rules.CONTENT.get(code, rules.CONTENT["wrong_content"]))
    if child.returncode != 0:
        log.warning(
            "remaking_failed", status=child.returncode, error=problem.decode("utf-8", "replace")[-300:]
        )
        raise invalid("body", "wrong_content", rules.CONTENT["wrong_content"])
    return _read(out)


async def _within(child: Process, data: bytes) -> tuple[bytes, bytes]:
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            return await child.communicate(data)
    except TimeoutError:
        raise Unavailable("文件处理超时，请重试", code="remaking_too_slow", retry_after=5) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def _read(out: bytes) -> list[Made]:
    found, place = [], 0
    while place < len(out):
        end = out.index(b"\n", place)
        about = msgspec.json.decode(out[place:end], type=About)
        place = end + 1 + about.size
        found.append(Made(about, out[end + 1 : place]))
    return found
