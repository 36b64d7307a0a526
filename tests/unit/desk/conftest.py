"""The desks over a database of each test's own, driven as a browser would: cookies, forms, redirects."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pyotp
import pytest
from redis.asyncio import Redis

from backend.app import create_app
from backend.context import Context
from backend.live import Live
from backend.outside.adapter import NoAdapter, SupervisionAdapter
from backend.outside.e_bill import NoEBill
from backend.outside.insurance import SelfPayOnly
from backend.outside.sms import NoSms
from backend.settings import Settings
from foundation.clock import Clock
from foundation.db.unit_of_work import Database
from tests.builders.settings import settings
from tests.database import moves_on
from tests.small_world import TOTP_SECRET, Member

SITE = "https://desk.test"


@dataclass
class Browser:
    """One browser at the desks."""

    http: httpx.AsyncClient
    clock: Clock

    async def get(self, path: str) -> httpx.Response:
        """A page, redirects not followed."""
        return await self.http.get(path)

    async def post(self, path: str, csrf: str | None = None, **fields: str) -> httpx.Response:
        """A form of our own page; `csrf` is taken from a page of this session when it is left out."""
        token = await self.csrf() if csrf is None else csrf
        headers = {"origin": SITE, "sec-fetch-site": "same-origin"}
        return await self.http.post(path, data={"csrf": token, **fields}, headers=headers)

    async def csrf(self) -> str:
        """What a page of this session puts into its forms."""
        found = re.search(r'name="csrf" value="(\w+)"', (await self.get("/desk/nowhere")).text)
        return found[1] if found else ""

    async def logs_in(
        self, member: Member, *, password: str = "", code: str = "", following: str = ""
    ) -> httpx.Response:
        """The login form; the right code of a fresh moment when none is given."""
        moves_on(self.clock, seconds=31)
        totp = code or pyotp.TOTP(TOTP_SECRET).at(int(self.clock.timestamp()))
        fields = {"login": member.login, "password": password or member.password, "totp": totp}
        return await self.post("/desk/login", csrf="", next=following, **fields)


@pytest.fixture(scope="session")
def desk_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A desk reads only the front's address and the kind of running."""
    return settings(tmp_path_factory.mktemp("settings"))


@pytest.fixture
def adapter() -> SupervisionAdapter:
    """Nobody, unless a test has one of its own."""
    return NoAdapter()


@pytest.fixture
def context(db: Database, clock: Clock, desk_settings: Settings, adapter: SupervisionAdapter) -> Context:
    """These tests call nobody outside, so nobody outside is there."""
    nobody = cast(Any, None)
    return Context(
        settings=desk_settings, clock=clock, db=db, redis=nobody, wechat=nobody, pay=nobody, hospital=nobody,
        identity=nobody, ca=nobody, courier=nobody, insurance=SelfPayOnly(), e_bills=NoEBill(), sms=NoSms(), objects=nobody, hospital_store=nobody, live=Live(cast("Redis", nobody)), adapter=adapter,
    )  # fmt: skip


@pytest.fixture
def app(context: Context) -> Any:
    """The API process's application."""
    return create_app(context)


@pytest.fixture
async def browsers(app: Any, clock: Clock) -> AsyncIterator[Callable[[], Browser]]:
    """Makes browsers that share nothing."""
    opened: list[httpx.AsyncClient] = []

    def another() -> Browser:
        opened.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SITE))
        return Browser(opened[-1], clock)

    yield another
    for http in opened:
        await http.aclose()


@pytest.fixture
def browser(browsers: Callable[[], Browser]) -> Browser:
    """One browser."""
    return browsers()
