"""What a person sees of a running system: one table of addresses, one of demo people, one live line of health."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from standalone.processes import POSTGRES_OFFSET, ROOT_DOOR, VALKEY_OFFSET, page
from standalone.system import System
from standalone.unit import Status

REFRESH_SECONDS = 1.0
LOOKS = {
    Status.READY: ("●", "green"),
    Status.UNREADY: ("◐", "yellow"),
    Status.STARTING: ("○", "yellow"),
    Status.WAITING: ("○", "dim"),
    Status.RESTARTING: ("↻", "red"),
    Status.FAILED: ("✗", "red"),
    Status.STOPPED: ("■", "dim"),
}
PARTS = (
    ("patient", "患者"), ("proxy", "家属（代理人）"), ("patient_without_history", "患者"),
    ("patient_expired", "患者"), ("allergic_patient", "患者"), ("guardian", "监护人"), ("doctor", "医生"),
    ("second_doctor", "医生"), ("pharmacist", "药师"), ("second_pharmacist", "药师"), ("clerk", "收费/客服"),
    ("schedule_manager", "排班"), ("duty_desk", "值班台"), ("quality", "质控"), ("admin", "管理员"),
    ("supervisor", "监管员"), ("second_supervisor", "监管员"),
)  # fmt: skip
"""Demo persons worth a line, in the order of the journey."""


def addresses(system: System) -> Table:
    """What runs where."""
    table = Table(
        title="运行中的系统",
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="dim",
    )
    for heading, whole in (("进程", True), ("作用", False), ("地址", True), ("打开", True)):
        table.add_column(heading, no_wrap=whole)
    for name, unit in system.units.items():
        opened = page(unit.process, system.port_base)
        table.add_row(name, unit.process.says, system.url(name), Text(opened, style="bold" if opened else ""))
    for name, offset, variable in (
        ("postgres", POSTGRES_OFFSET, "DATABASE_URL"),
        ("valkey", VALKEY_OFFSET, "REDIS_URL"),
    ):
        if not system.environ.get(variable):
            table.add_row(
                name,
                "内置数据库" if name == "postgres" else "内置缓存",
                f"127.0.0.1:{system.port_base + offset}",
            )
    return table


def people(demo: dict[str, Any]) -> Table:
    """Demo people and how each of them signs in. All of them are generated."""
    table = Table(
        title="演示人物（均为生成，非真人）",
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="dim",
    )
    for heading, whole in (("角色", True), ("姓名", True), ("登录", True), ("说明", False)):
        table.add_column(heading, no_wrap=whole)
    for part, role in PARTS:
        if isinstance(person := demo.get(part), dict):
            table.add_row(role, person["name"], _signs_in(person), person.get("note", ""))
    return table


def _signs_in(person: dict[str, Any]) -> str:
    if "login" not in person:
        return f"手机 {person.get('phone', '')}"
    pin = f"  PIN {person['pin']}" if person.get("pin") else ""
    return f"{person['login']} / {person['password']}{pin}"


def welcome(system: System, console: Console) -> None:
    """The tables and the one address to open."""
    console.print()
    console.print(addresses(system))
    console.print()
    console.print(people(system.demo))
    console.print("[dim]动态口令：[/dim]make code WHO=doctor01")
    console.print()
    front = page(system.units["front"].process, system.port_base) if "front" in system.units else ""
    if front:
        console.print(
            f"[bold]打开 {front}[/bold]（390×844 的手机页面）；日志在 {system.folder.logs}；Ctrl-C 停止，数据保留"
        )
    if "ca" in system.units:
        console.print(
            f"[dim]核验处方笺、病历：[/dim]make verify FILE=处方笺.pdf[dim]（根证书在 {system.installation.ca.root.parent}）[/dim]"
        )
    if host := system.installation.host:
        root = f"http://{host}:{system.port_base + ROOT_DOOR}/root.crt"
        console.print(
            f"[bold]同一网络的手机打开 {system.installation.public('front')}/[/bold]（手机须与本机在同一网络）"
        )
        console.print(
            f"手机先打开 {root} 安装并信任本机根证书，用完请从手机删除；证书文件在 {system.folder.certs}/hospital/root.pem"
        )


def health_line(system: System, since: float) -> Text:
    """One mark per process, and for those that are not well why."""
    line = Text()
    for name, unit in system.units.items():
        mark, colour = LOOKS[unit.status]
        line.append(f"{mark} ", style=colour).append(
            name, style="" if unit.status is Status.READY else colour
        )
        if unit.missing and unit.status is not Status.READY:
            line.append(f" ({', '.join(unit.missing)})", style=colour)
        line.append(f"×{unit.restarts} " if unit.restarts else " ", style="dim")
    seconds = int(time.monotonic() - since)
    return line.append(f"  {seconds // 3600:d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}", style="dim")


async def show_health(system: System, console: Console, until: asyncio.Event) -> None:
    """A live line on a terminal; elsewhere a plain line whenever somebody's state changes."""
    since = time.monotonic()
    if console.is_terminal:
        with Live(health_line(system, since), console=console, auto_refresh=False, transient=True) as live:
            while not await _ended(until):
                live.update(health_line(system, since), refresh=True)
        return
    shown: dict[str, str] = {}
    while True:
        for line in _changes(system, shown):
            console.print(line, markup=False)
        if await _ended(until):
            return


def _changes(system: System, shown: dict[str, str]) -> Iterator[str]:
    for name, unit in system.units.items():
        if shown.get(name, Status.READY) != unit.status:
            yield f"{name} {unit.status} {', '.join(unit.missing)}".rstrip()
        shown[name] = unit.status


async def _ended(event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(REFRESH_SECONDS):
            await event.wait()
    except TimeoutError:
        return False
    return True
