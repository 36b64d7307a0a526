"""What lies in a data folder before any process runs: stores, keys, certificates, world."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from standalone import anchors, certificates, keys
from standalone.anchors import Anchors
from standalone.certificates import Certificates
from standalone.keys import Keys
from standalone.paths import DataFolder, data_folder
from standalone.processes import BY_NAME, DOORS, POSTGRES_OFFSET, VALKEY_OFFSET
from standalone.stores import StoreOptions, StoreUrls
from standalone.wechat_keys import WechatFiles

LARGE = 200_000
"""Beyond so many residents LIS and RIS are left out: their simulator reads the whole world at its start."""


@dataclass(frozen=True)
class Installation:
    """One data folder, ready for its processes."""

    folder: DataFolder
    port_base: int
    keys: Keys
    wechat: WechatFiles
    certificates: Certificates
    urls: StoreUrls
    ca: Anchors
    host: str = ""
    """TLS=1: the name or address of this machine on its network."""

    def public(self, name: str) -> str:
        """The address of a process as a browser has it."""
        if self.host and name in DOORS:
            return f"https://{self.host}:{self.port_base + DOORS[name]}"
        return BY_NAME[name].url(self.port_base)

    @cached_property
    def demo(self) -> dict[str, Any]:
        """`demo.json`: the demo persons by part."""
        return dict(self._world_file("demo.json"))

    @cached_property
    def hospital(self) -> dict[str, Any]:
        """`hospital.json`."""
        return dict(self._world_file("hospital.json"))

    @property
    def world_made_on(self) -> date:
        """The day that all dates of the world are relative to."""
        return date.fromisoformat(self._world_file("world.json")["made_on"])

    def _world_file(self, name: str) -> Any:
        return json.loads((self.folder.world / name).read_text(encoding="utf-8"))

    def kept(self, *parts: str) -> Path:
        """A folder that one process keeps its things in."""
        place = self.folder.root.joinpath(*parts)
        place.mkdir(parents=True, exist_ok=True)
        return place


def has_world(folder: DataFolder) -> bool:
    """Whether a whole world is there: its last file is."""
    return (folder.world / "world.json").exists()


def is_large(folder: DataFolder, size: str = "") -> bool:
    """Whether the world that is there, or the one of this `SIZE` that is yet to be made, has more than `LARGE` residents."""
    if not has_world(folder):
        return size == "xl"
    return int(json.loads((folder.world / "world.json").read_bytes())["residents"]) > LARGE


def store_options(port_base: int, environ: Mapping[str, str]) -> StoreOptions:
    """Embedded stores, save those that the caller's settings name."""
    return StoreOptions(
        postgres_port=port_base + POSTGRES_OFFSET,
        valkey_port=port_base + VALKEY_OFFSET,
        database_url=environ.get("DATABASE_URL") or None,
        regulator_database_url=environ.get("REGULATOR_DATABASE_URL") or None,
        redis_url=environ.get("REDIS_URL") or None,
    )


def prepare(root: Path, port_base: int, urls: StoreUrls, host: str = "") -> Installation:
    """Keys and certificates, made where they are missing; for `host` too when there is one."""
    folder = data_folder(root)
    made, wechat = keys.ensure(folder)
    own = certificates.ensure(folder, hosts=[host] if host else [])
    return Installation(folder, port_base, made, wechat, own, urls, anchors.ensure(folder), host)
