"""Who is insured: `insured.json` of the world, by phone. Without the file nobody is."""

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from miniapp_mock.wechat.settings import SettingError


class Insured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bound insurance credential (医保电子凭证). `account_fen`: what is on the personal account; residents have none."""

    openid: str
    name: str
    id_number: str
    kind: Literal["employee", "resident"]
    account_fen: int = 0
    subsidised: bool = False

    @property
    def id_digest(self) -> str:
        """MD5 of the number in capitals, lower-case hex: WeChat's digest of an id number."""
        return hashlib.md5(self.id_number.upper().encode()).hexdigest()  # noqa: S324 - WeChat's choice

    @property
    def masked_name(self) -> str:
        return "*" * (len(self.name) - 1) + self.name[-1:]


def load(world: Path) -> dict[str, Insured]:
    """By openid. Raises SettingError for a file that is there and wrong."""
    path = world / "insured.json"
    if not path.exists():
        return {}
    try:
        return {one.openid: one for one in msgspec.json.decode(path.read_bytes(), type=list[Insured])}
    except (OSError, msgspec.MsgspecError) as problem:
        raise SettingError(f"WECHAT_WORLD has an insured.json that is wrong: {problem}") from None
