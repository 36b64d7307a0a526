"""The counterparts of one backend as doubles behind loopback ports, in threads of the test process.

The real simulators of CA, real-name service and courier, the WeChat mock, and in the place of the front gateways one that
answers what a test tells it.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts import his
from miniapp_mock.wechat.app import create_app as create_wechat
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.serving import in_background as wechat_in_background
from miniapp_mock.wechat.settings import Reader as WeChatReader
from simulators.ca.app import create_app as create_ca
from simulators.ca.app import declared_faults as ca_faults
from simulators.ca.holders import load as load_holders
from simulators.ca.settings import read as read_ca
from simulators.courier.app import create_app as create_courier
from simulators.courier.app import declared_faults as courier_faults
from simulators.courier.settings import read as read_courier
from simulators.ebill.app import create_app as create_ebill
from simulators.ebill.app import declared_faults as ebill_faults
from simulators.ebill.settings import read as read_ebill
from simulators.identity.app import create_app as create_identity
from simulators.identity.app import declared_faults as identity_faults
from simulators.identity.register import Register
from simulators.identity.register import Resident as Registered
from simulators.identity.settings import read as read_identity
from simulators.server import Clock, Faults, Listener, Reader, in_background
from simulators.sms.app import create_app as create_sms
from simulators.sms.app import declared_faults as sms_faults
from simulators.sms.settings import read as read_sms
from tests.database import MORNING, SharedClock
from tests.small_world import RESIDENTS
from tests.unit.wechat_mock.settings_of_a_mock import make_environment, make_keys

KEY, SECRET = "app-key-of-a-test", "secret-of-a-test"
CALLBACK_KEY, CALLBACK_SECRET = "callback-key-of-a-test", "callback-secret-of-a-test"


@dataclass
class Gateway:
    """A front gateway that says what it was told to: `answers` by operation, `status` for all when it is not 200."""

    answers: dict[str, Any] = field(default_factory=dict)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    body: bytes = b""

    def reset(self) -> None:
        """As at the beginning: a hospital that knows everybody, with nothing in their files."""
        self.answers = {
            "find-patient": his.FindPatientReply(his.Patient("P-1", "林秀兰", "female", RESIDENTS[0].born)),
            "visits": his.VisitsReply([]),
            "history": his.HistoryReply([], [], [], []),
        }
        self.received, self.status, self.body = [], 200, b""

    def refuses(self, status: int, code: str, detail: str = "不行") -> None:
        """Every call, until the next test."""
        self.status, self.body = status, msgspec.json.encode({"code": code, "detail": detail})

    def charges(self) -> list[his.HospitalCharge]:
        """What was written to this hospital: it remembers no days."""
        found = []
        for operation, body in self.received:
            if operation == "write-charge":
                number, at, kind = body["trade_number"], body["paid_at"], body["kind"]
            elif operation == "write-refund":
                number, at, kind = body["refund_number"], body["refunded_at"], "refund"
            else:
                continue
            made = his.HospitalCharge(
                f"Invoice/{number}", kind, number, body["amount"], datetime.fromisoformat(at)
            )
            found.append(made)
        return found

    async def answer(self, request: Request) -> Response:
        """One operation."""
        operation = request.path_params["operation"]
        self.received.append((operation, msgspec.json.decode(await request.body())))
        if self.status != 200 or self.body:
            return Response(self.body, self.status, media_type="application/json")
        written: Any = his.Acknowledged(f"{operation}/{len(self.received)}", MORNING)
        if operation == "charges":
            written = his.ChargesReply(self.charges())
        return Response(
            msgspec.json.encode(self.answers.get(operation, written)), media_type="application/json"
        )


@dataclass
class Town:
    """Addresses, and the handles of what stands behind them."""

    ca: str
    identity: str
    courier: str
    gateway_url: str
    wechat: str
    ebill: str
    sms: str
    ca_root: Path
    keys: Path
    gateway: Gateway
    faults: dict[str, Faults]
    follow: Callable[[timedelta], None]

    def reset(self, clock: SharedClock) -> None:
        """As new, on a test's clock."""
        clock.followed_by(self.follow)
        for faults in self.faults.values():
            faults.clear()
        self.gateway.reset()

    def wechat_faults(self, **values: Any) -> None:
        """Exactly these at the WeChat mock."""
        assert httpx.put(f"{self.wechat}/_test/faults", json=values, trust_env=False).status_code == 200


def _environment(folder: Path, world: Path) -> dict[str, str]:
    values = {
        "ENV": "test",
        "CA_WORLD": str(world / "ca_holders.json"),
        "IDENTITY_WORLD": str(world / "staff.json"),
    }
    for name in ("CA", "IDENTITY", "COURIER", "EBILL", "SMS"):
        data = folder / name.lower()
        data.mkdir()
        values |= {f"{name}_DATA": str(data), f"{name}_APP_KEY": KEY, f"{name}_SECRET": SECRET}
    return values | {"COURIER_CALLBACK_KEY": CALLBACK_KEY, "COURIER_CALLBACK_SECRET": CALLBACK_SECRET}


@contextlib.contextmanager
def started(folder: Path, world: Path) -> Iterator[Town]:
    """All of them, over a folder of their own."""
    reader = Reader(_environment(folder, world))
    # Certificates are made at the start: on a test's day, or they would not be valid on it yet.
    early = (MORNING - datetime.now(UTC)).total_seconds()
    clocks = {name: Clock(early) for name in ("ca", "identity", "courier", "ebill", "sms")}
    faults = {
        "ca": ca_faults(),
        "identity": identity_faults(),
        "courier": courier_faults(),
        "ebill": ebill_faults(),
        "sms": sms_faults(),
    }
    register = Register([Registered(one.name, one.id_number) for one in RESIDENTS])
    gateway = Gateway()
    settings = read_ca(reader)
    apps = [
        create_ca(settings, load_holders(settings.world), clocks["ca"], faults["ca"]),
        create_identity(read_identity(reader), register, clocks["identity"], faults["identity"]),
        create_courier(read_courier(reader), clocks["courier"], faults["courier"]),
        create_ebill(read_ebill(reader), clocks["ebill"], faults["ebill"]),
        create_sms(read_sms(reader), clocks["sms"], faults["sms"]),
        Starlette(routes=[Route("/his/v1/{operation}", gateway.answer, methods=["POST"])]),
    ]
    keys = folder / "keys"
    keys.mkdir()
    make_keys(keys)
    mock = Mock.from_environment(WeChatReader(make_environment(keys, folder)))

    def follow(offset: timedelta) -> None:
        for one in clocks.values():
            one.set_offset(offset.total_seconds())
        mock.clock.offset_seconds = offset.total_seconds()

    with (
        in_background([Listener(app, "127.0.0.1", 0) for app in apps]) as (
            ca,
            identity,
            courier,
            ebill,
            sms,
            gateways,
        ),
        wechat_in_background(create_wechat(mock)) as wechat,
    ):
        yield Town(
            ca, identity, courier, gateways, wechat, ebill, sms, settings.data / "root.pem", keys, gateway, faults, follow
        )  # fmt: skip
