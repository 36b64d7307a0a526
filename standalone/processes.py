"""What runs where: the one table of processes (docs/processes.md), with offsets from the base port."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec

POSTGRES_OFFSET = 432
VALKEY_OFFSET = 479
LARGEST_OFFSET = VALKEY_OFFSET
DOORS = {"front": 20, "wechat": 30, "api": 120, "media": 121, "media-b": 122}
"""TLS=1: offset of the https door of each process that a browser speaks to."""
ROOT_DOOR = 29
"""TLS=1: offset of the door that gives out the root certificate."""


class Gate(enum.Enum):
    """What has to be there before a process may start."""

    FILES = "world, certificates and keys are written"
    DATABASE = "its tables are there"


@dataclass(frozen=True)
class Process:
    """One process. `health` is the offset of the plain port when the public one speaks mutual TLS or has no pages.

    `home` is a path that a person may open; `stands_for` names the settings that, when given, point to a real
    counterpart, so that this process is not started. `rank` orders the end: the highest stops first.
    """

    name: str
    says: str
    package: str
    arguments: tuple[str, ...]
    offset: int
    rank: int
    gate: Gate = Gate.FILES
    mutual_tls: bool = False
    health: int | None = None
    home: str | None = None
    stands_for: tuple[str, ...] = ()
    asked_by: str = ""
    """A variable of the caller; without `1` in it the process is not run."""
    inspection: int | None = None
    """Offset of a further listener, for supervisors' requests (mTLS)."""
    pushed: int | None = None
    """Offset of a further listener, for what the hospital's systems push (MLLP)."""

    @property
    def health_offset(self) -> int:
        """Where `/readyz` answers over plain http."""
        return self.offset if self.health is None else self.health

    @property
    def offsets(self) -> set[int]:
        """All that it listens on."""
        return {self.offset, self.health_offset} | {one for one in (self.inspection, self.pushed) if one}

    def url(self, port_base: int) -> str:
        """Address of the public listener."""
        scheme = "https" if self.mutual_tls else "http"
        return f"{scheme}://127.0.0.1:{port_base + self.offset}"

    def health_url(self, port_base: int) -> str:
        """Address of the plain listener."""
        return f"http://127.0.0.1:{port_base + self.health_offset}"


def _simulator(name: str, says: str, offset: int, **more: object) -> Process:
    return Process(name, says, "simulators", (name,), offset, 1, **more)  # type: ignore[arg-type]


PROCESSES: tuple[Process, ...] = (
    Process("front", "手机页面（患者、医生）", "miniapp_mock", ("front",), 0, 5, home="/"),
    Process("api", "后台接口、药师与管理工作台", "backend", ("api",), 100, 3, Gate.DATABASE, home="/desk", inspection=130),
    Process("worker", "后台任务", "backend", ("worker",), 101, 4, Gate.DATABASE),
    Process("media", "音视频", "backend", ("media",), 110, 4, Gate.DATABASE),
    Process("media-b", "音视频（第二套）", "backend", ("media",), 111, 4, Gate.DATABASE),
    Process("gateway-a", "前置机 A", "front_gateway", (), 201, 2, mutual_tls=True, health=211, pushed=221),
    Process("gateway-b", "前置机 B", "front_gateway", (), 202, 2, mutual_tls=True, health=212, pushed=222),
    Process("adapter", "监管适配", "regulator_adapter", (), 300, 2, Gate.DATABASE, mutual_tls=True, health=310),
    Process(
        "wechat", "微信（模拟）：手机、收银台", "miniapp_mock", ("wechat",), 10, 1,
        home="/phone", stands_for=("WECHAT_API_URL", "WECHAT_PAY_URL"),
    ),
    _simulator("his", "医院信息系统（模拟）", 400, mutual_tls=True, health=401, stands_for=("HIS_URL",)),
    _simulator("pacs", "影像归档系统（模拟）", 407, mutual_tls=True, health=408, stands_for=("PACS_URL",)),
    _simulator("lis_ris", "检验与检查系统（模拟）", 404, health=405, stands_for=("HIS_URL",)),
    _simulator(
        "supervision", "市监管平台（模拟）：监管员", 410,
        mutual_tls=True, health=411, home="/", stands_for=("CITY_URL",),
    ),
    _simulator("courier", "快递公司（模拟）：快递员", 420, home="/operator", stands_for=("COURIER_URL",)),
    _simulator("identity", "实名核验（模拟）", 430, stands_for=("IDENTITY_URL",)),
    _simulator("ca", "电子签名（模拟）", 440, stands_for=("CA_URL",)),
    _simulator("sms", "短信公司（模拟，不会发到手机）", 460, home="/sent", stands_for=("SMS_URL",)),
    _simulator("ebill", "电子票据（模拟，非有效票据）", 450, home="/verify", stands_for=("EBILL_URL",)),
    _simulator(
        "eprescription", "医保电子处方中心（模拟，处方不会流转）", 470, home="/taken", stands_for=("EPC_URL",), asked_by="EPC"
    ),
)  # fmt: skip

BY_NAME: dict[str, Process] = {process.name: process for process in PROCESSES}


HOSPITALS = {"soap": "his_soap"}
"""By HIS_DIALECT: the simulator that stands where `his` does."""


def as_asked(process: Process, environ: Mapping[str, str]) -> Process:
    """The process of the table, or what the caller's environment puts in its place."""
    if process.name == "his" and (other := HOSPITALS.get(environ.get("HIS_DIALECT", ""))):
        return replace(process, arguments=(other,))
    return process


def page(process: Process, port_base: int) -> str:
    """The address a person opens, empty when there is nothing to see."""
    if process.home is None:
        return ""
    base = process.health_url(port_base) if process.mutual_tls else process.url(port_base)
    return base + process.home


def ports(port_base: int) -> list[int]:
    """Every port that a whole system listens on."""
    offsets = {POSTGRES_OFFSET, VALKEY_OFFSET}
    for process in PROCESSES:
        offsets |= process.offsets
    return sorted(port_base + offset for offset in offsets)


def is_there(process: Process) -> bool:
    """Whether the code of a process is installed: an installation may have some extras only."""
    part = "" if process.package not in ("simulators", "miniapp_mock") else f".{process.arguments[0]}"
    return (
        find_spec(process.package + part) is not None
        and find_spec(f"{process.package}{part}.__main__") is not None
    )
