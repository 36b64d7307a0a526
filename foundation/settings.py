"""Settings from environment variables: read once, frozen, every mistake named at once.

A process declares a frozen dataclass whose fields are made by `setting(...)`; the variable's name is the field's in upper
case. `load` collects all problems; `load_or_exit` prints them in one line and ends with status 2.
"""

import dataclasses
import enum
import os
import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

S = TypeVar("S")
MISSING = dataclasses.MISSING


class SettingsError(Exception):
    """`problems` has one sentence per missing or malformed setting."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Env(enum.StrEnum):
    """What kind of running this is; `production` refuses what must never reach patients."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


def setting(meaning: str, *, default: Any = MISSING, secret: bool = False) -> Any:
    """Declare one field: what it means, its default when it may be left out, whether it must never be shown."""
    return dataclasses.field(
        default=default, metadata={"meaning": meaning, "secret": secret}, repr=not secret
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class CommonSettings:
    """Settings that every process has."""

    env: Env = setting("kind of running", default=Env.DEVELOPMENT)
    log_level: str = setting("DEBUG, INFO, WARNING or ERROR", default="INFO")
    host: str = setting("address of the listener", default="127.0.0.1")

    def production_problems(self) -> list[str]:
        """What ENV=production refuses; each settings class adds its own."""
        return []


def load(kind: type[S], environ: Mapping[str, str]) -> S:
    """Settings of `kind` from `environ`; `SettingsError` with all problems."""
    problems: list[str] = []
    values: dict[str, Any] = {}
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        name = field.name.upper()
        raw = environ.get(name, "")
        if raw == "":
            if field.default is MISSING:
                problems.append(f"{name} is missing ({field.metadata['meaning']})")
            continue
        try:
            values[field.name] = _parse(raw, hints[field.name])
        except ValueError as error:
            problems.append(f"{name} is malformed: {error}")
    if problems:
        raise SettingsError(problems)
    loaded = kind(**values)
    if (
        isinstance(loaded, CommonSettings)
        and loaded.env is Env.PRODUCTION
        and (refused := loaded.production_problems())
    ):
        raise SettingsError(refused)
    return loaded


def load_or_exit(kind: type[S]) -> S:
    """`load` from the process's environment; one line on stderr and exit status 2 when it cannot."""
    try:
        return load(kind, os.environ)
    except SettingsError as error:
        sys.stderr.write(f"settings: {error}\n")
        raise SystemExit(2) from None


def _parse(raw: str, kind: Any) -> Any:
    if isinstance(kind, types.UnionType):
        kind = next(option for option in typing.get_args(kind) if option is not type(None))
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)[0]
        return tuple(_parse(part.strip(), inner) for part in raw.split(",") if part.strip())
    if kind is bool:
        if raw.lower() not in ("0", "1", "true", "false"):
            raise ValueError("use 1 or 0")
        return raw.lower() in ("1", "true")
    if kind is bytes:
        return _hex(raw)
    if kind is Path:
        return Path(raw)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(raw)
        except ValueError:
            raise ValueError("one of " + ", ".join(str(member.value) for member in kind)) from None
    try:
        return kind(raw)
    except ValueError:
        raise ValueError(f"not a valid {kind.__name__}") from None


def _hex(raw: str) -> bytes:
    try:
        return bytes.fromhex(raw)
    except ValueError:
        raise ValueError("not hexadecimal") from None
