"""Everything that one running mock has, put together once."""

import asyncio
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from miniapp_mock.wechat import people as phone_owners
from miniapp_mock.wechat import settings as environment
from miniapp_mock.wechat.clock import Clock
from miniapp_mock.wechat.faults import Faults
from miniapp_mock.wechat.med_ins import insured as insured_people
from miniapp_mock.wechat.med_ins.insured import Insured
from miniapp_mock.wechat.open.templates import Template, load_templates
from miniapp_mock.wechat.pay import keys as pay_keys
from miniapp_mock.wechat.pay.keys import Keys
from miniapp_mock.wechat.people import People
from miniapp_mock.wechat.settings import Reader, SettingError, Settings
from miniapp_mock.wechat.store import Store


@dataclass(frozen=True)
class Mock:
    """`bell` wakes the worker that delivers notifications and settles refunds."""

    settings: Settings
    people: People
    keys: Keys
    clock: Clock
    faults: Faults
    store: Store
    templates: dict[str, Template]
    insured: dict[str, Insured] = field(default_factory=dict)
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def from_environment(cls, env: Reader) -> "Mock":
        """Raises SettingError."""
        settings = environment.read(env)
        return cls(
            settings=settings,
            people=phone_owners.load(settings.world),
            keys=pay_keys.load(settings),
            clock=Clock(),
            faults=Faults(),
            store=_store(settings.data / "wechat.sqlite"),
            templates=load_templates(),
            insured=insured_people.load(settings.world),
        )

    @property
    def now(self) -> float:
        return self.clock.now()


def _store(path: Path) -> Store:
    try:
        return Store(path)
    except sqlite3.Error as problem:
        raise SettingError(f"WECHAT_DATA holds a file that cannot be used: {path} ({problem})") from None


def mock_of(request: Request) -> Mock:
    mock: Mock = request.app.state.mock
    return mock
