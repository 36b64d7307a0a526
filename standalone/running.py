"""`python -m standalone up`: run a system in the foreground until somebody stops it."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec

from rich.console import Console

from foundation.clock import Clock
from standalone import screen
from standalone.children import Children, inherited
from standalone.failure import StartFailed
from standalone.options import Options
from standalone.system import System

JOURNEY = "standalone.journey"
PLAIN_WIDTH = 160
DEMO_MARK = "demo-visit-played"
OLD_WORLD_DAYS = 20
"""After that, demo patients begin to fall out of the month in which they may be seen again."""


class Stopped(Exception):
    """The person pressed Ctrl-C before the system was up."""


async def up(options: Options, children: Children) -> None:
    """Start everything, show it, and stop it in order on SIGINT or SIGTERM, or when the terminal closes."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    begun = time.monotonic()
    system = System(
        options.data, options.port_base, env=options.env, size=options.size, environ=options.environ, host=options.host,
        children=children, report=lambda line: console.print(line, style="dim", markup=False),
    )  # fmt: skip
    try:
        async with _running(system, stop):
            screen.welcome(system, console)
            console.print(f"ready after {time.monotonic() - begun:.1f} s", style="dim")
            _mention_old_world(system, console)
            demo = asyncio.create_task(_play_demo(system, options, console))
            await screen.show_health(system, console, stop)
            console.print("stopping", style="dim")
            demo.cancel()
            await asyncio.wait([demo])
    except Stopped:
        pass
    console.print("stopped; the data are kept", style="dim")


@asynccontextmanager
async def _running(system: System, stop: asyncio.Event) -> AsyncIterator[None]:
    """The system, or `Stopped` when it was called off while it was starting."""
    starting = asyncio.create_task(system.__aenter__())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait([starting])
        raise Stopped
    await starting
    try:
        yield
    finally:
        await system.close()


async def _play_demo(system: System, options: Options, console: Console) -> None:
    """On the first start a demo patient's visit and a few others', so that every screen has something to show."""
    mark = system.folder.root / DEMO_MARK
    if not options.demo or mark.exists() or find_spec(JOURNEY) is None:
        return
    console.print("playing a demo visit and a few others (DEMO=0 leaves them out)", style="dim")
    try:
        await system.run(JOURNEY, ["--data", str(system.folder.root), "--day"], inherited(), "journey")
    except StartFailed as problem:
        console.print(f"the demo visit did not work out: {problem}", style="red", markup=False)
        return
    mark.touch()
    console.print(
        "the demo visits are over: look at the patient's phone and the supervisor's console", style="dim"
    )


def _mention_old_world(system: System, console: Console) -> None:
    age = (Clock().today() - system.installation.world_made_on).days
    if age > OLD_WORLD_DAYS:
        console.print(
            f"this world is {age} days old: `make reset` makes one with fresh dates", style="yellow"
        )
