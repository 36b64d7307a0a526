"""Whose phones there are: `phones.json` of the world, and the hospital's name."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from miniapp_mock.wechat.settings import SettingError


class Person(msgspec.Struct, frozen=True):
    """One entry of `phones.json`; what else stands there is none of WeChat's business."""

    openid: str
    phone: str
    owner_name: str
    role: str
    unionid: str | None = None
    label: str = ""

    @property
    def masked_phone(self) -> str:
        return f"{self.phone[:3]}****{self.phone[-4:]}"

    @property
    def is_staff(self) -> bool:
        return self.role not in ("patient", "crowd")


@dataclass(frozen=True)
class People:
    merchant: str
    by_openid: dict[str, Person]

    @classmethod
    def of(cls, people: Iterable[Person], merchant: str = "互联网医院") -> "People":
        return cls(merchant, {person.openid: person for person in people})

    def find(self, openid: str) -> Person | None:
        return self.by_openid.get(openid)

    def all(self) -> list[Person]:
        return list(self.by_openid.values())


def load(world: Path) -> People:
    """Raises SettingError."""
    try:
        people = msgspec.json.decode((world / "phones.json").read_bytes(), type=list[Person])
    except OSError as problem:
        raise SettingError(f"WECHAT_WORLD has no phones.json: {world} ({problem.strerror})") from None
    except msgspec.MsgspecError as problem:
        raise SettingError(f"WECHAT_WORLD has a phones.json that is wrong: {problem}") from None
    return People.of(people, _hospital_name(world) or "互联网医院")


def _hospital_name(world: Path) -> str | None:
    try:
        hospital: Any = json.loads((world / "hospital.json").read_bytes())
    except (OSError, ValueError):
        return None
    name = hospital.get("name") if isinstance(hospital, dict) else None
    return name if isinstance(name, str) else None
