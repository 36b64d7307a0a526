"""`python -m standalone journey --data DIR [--his sekmet|soap] [--day]`: plays one visit against a running or freshly started system.

`--day` plays a few more with different ends behind it, on a system that runs.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from pathlib import Path
from socket import socket
from typing import Any

from rich.console import Console

from standalone.failure import StartFailed, StoreError
from standalone.journey.day import play_day
from standalone.journey.foreign import fill, sekmet
from standalone.journey.people import Courier, Doctor, Patient, Pharmacist
from standalone.journey.play import Play
from standalone.journey.visiting import Places, Refused
from standalone.load_fhir import CannotLoad
from standalone.paths import data_folder
from standalone.processes import BY_NAME
from standalone.system import STATE_FILE, System


def places(port_base: int) -> Places:
    """Addresses of a system on this machine."""
    return Places(
        api=BY_NAME["api"].url(port_base), wechat=BY_NAME["wechat"].url(port_base),
        courier=BY_NAME["courier"].url(port_base), adapter_health=BY_NAME["adapter"].health_url(port_base),
        supervision=BY_NAME["supervision"].health_url(port_base),
    )  # fmt: skip


async def play(where: Places, demo: dict[str, Any], console: Console) -> dict[str, Any]:
    """The main demo patient with a doctor of her department."""
    everybody = [demo["patient"], *demo["patients"]]
    person = demo["patient"] if os.environ.get("PATIENT") != "any" else random.choice(everybody)  # noqa: S311
    doctors = [one for one in demo["doctors"] if person["department"] == one["department"]]
    cast = (
        Patient(where, person), Doctor(where, doctors[0]), Pharmacist(where, demo["pharmacist"]), Courier(where),
    )  # fmt: skip

    def shown(number: int, who: str, what: str, state: str, milliseconds: float) -> None:
        console.print(f"[green]{number:>2}[/] {who:<8} {what}  [dim]{state}  {milliseconds:.0f} ms[/]")

    try:
        return await Play(where, *cast, shown=shown).run()
    finally:
        for one in cast:
            await one.close()


async def against_running(data: Path, console: Console, *, day: bool) -> dict[str, Any] | None:
    """A visit on the system that runs on `data`; None when nothing runs there."""
    port_base = running_on(data)
    if port_base is None:
        return None
    # With TLS=1 the sockets' addresses are https, vouched for by this machine's own root.
    os.environ.setdefault("SSL_CERT_FILE", str(data_folder(data).certs / "hospital" / "root.pem"))
    demo = json.loads((data / "world" / "demo.json").read_text(encoding="utf-8"))
    summary = await play(places(port_base), demo, console)
    if day:
        crowd = json.loads((data / "world" / "load_patients.json").read_text(encoding="utf-8"))

        def say(who: str, end: str) -> None:
            console.print(f"[green]+[/] {who}  [dim]{end}[/]")

        summary["more_visits"] = await play_day(places(port_base), demo, crowd, say)
    return summary


def running_on(data: Path) -> int | None:
    """The port base of the system that runs on a data folder."""
    try:
        state = json.loads((data / "run" / STATE_FILE).read_text(encoding="utf-8"))
        os.kill(int(state["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return int(state["port_base"])


async def fresh(data: Path, console: Console) -> dict[str, Any]:
    """A visit on a system started for it."""
    console.print("nothing runs here: starting a system for this visit", style="dim")
    base = int(os.environ.get("PORT_BASE", "8000"))
    async with System(data, base, size="s", environ=os.environ) as system:
        return await play(places(base), system.demo, console)


def free_base() -> int:
    """PORT_BASE, or where a system runs there already, the next thousand that is free."""
    wanted = int(os.environ.get("PORT_BASE", "8000"))
    for base in range(wanted, 60_000, 1_000):
        with socket() as probe:
            if probe.connect_ex(("127.0.0.1", base)) != 0:
                return base
    return wanted


async def against_sekmet(console: Console) -> dict[str, Any]:
    """A visit with sekmet-fhir in the place of our own hospital simulator, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="sekmet-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(folder.chmod, 0o755)  # the database's own user must reach its part
        async with sekmet(folder) as url:
            console.print(f"sekmet-fhir answers at {url}; starting a system before it", style="dim")
            environ = {**os.environ, "HIS_URL": url}
            base = free_base()
            async with System(folder / "data", base, size="s", environ=environ) as system:
                count = await fill(url, system.folder.world)
                console.print(f"{count} resources loaded into sekmet-fhir", style="dim")
                return await play(places(base), system.demo, console)


async def against_soap(console: Console) -> dict[str, Any]:
    """A visit with a hospital that speaks SOAP, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="soap-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(folder.chmod, 0o755)
        console.print("starting a system before a hospital that speaks SOAP", style="dim")
        base = free_base()
        environ = {**os.environ, "HIS_DIALECT": "soap"}
        async with System(folder / "data", base, size="s", environ=environ) as system:
            return await play(places(base), system.demo, console)


async def _main(data: Path, his: str, console: Console, *, day: bool) -> dict[str, Any]:
    if his == "sekmet":
        return await against_sekmet(console)
    if his == "soap":
        return await against_soap(console)
    return await against_running(data, console, day=day) or await fresh(data, console)


def main() -> int:
    """The last line of stdout is JSON; exit status 1 when the visit did not work out."""
    parser = argparse.ArgumentParser(prog="python -m standalone journey")
    parser.add_argument("--data", type=Path, default=Path(".data"))
    parser.add_argument("--his", choices=("", "own", "sekmet", "soap"), default=os.environ.get("HIS", ""))
    parser.add_argument("--day", action="store_true", help="a few more visits with different ends")
    chosen = parser.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    try:
        summary = asyncio.run(_main(chosen.data, chosen.his, console, day=chosen.day))
    except (Refused, TimeoutError, StartFailed, StoreError, CannotLoad) as problem:
        console.print(f"[red]{problem}[/]")
        print(json.dumps({"journey": "failed", "reason": str(problem)}, ensure_ascii=False))
        return 1
    print(json.dumps(summary, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
