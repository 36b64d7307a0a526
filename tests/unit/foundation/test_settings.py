import enum
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from foundation.settings import CommonSettings, Env, SettingsError, load, load_or_exit, setting


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Shop(CommonSettings):
    port: int = setting("where it listens")
    key: bytes = setting("hex key", secret=True)
    folder: Path = setting("where things lie")
    names: tuple[str, ...] = setting("several", default=())
    open: bool = setting("whether", default=False)
    colour: Colour = setting("paint", default=Colour.RED)
    number: UUID | None = setting("may be left out", default=None)

    def production_problems(self) -> list[str]:
        return ["COLOUR is a development colour"] if self.colour is Colour.RED else []


GIVEN = {"PORT": "8100", "KEY": "00ff", "FOLDER": "/srv/x"}


def test_every_kind_of_value_is_read() -> None:
    shop = load(Shop, {
        **GIVEN, "NAMES": "a, b,,c ", "OPEN": "1", "COLOUR": "blue", "NUMBER": "01930000-0000-7000-8000-000000000001",
    })  # fmt: skip

    assert (shop.port, shop.key, shop.folder) == (8100, b"\x00\xff", Path("/srv/x"))
    assert (shop.names, shop.open, shop.colour) == (("a", "b", "c"), True, Colour.BLUE)
    assert shop.number == UUID("01930000-0000-7000-8000-000000000001")


def test_what_is_left_out_or_empty_has_its_default() -> None:
    shop = load(Shop, {**GIVEN, "OPEN": "", "LOG_LEVEL": ""})

    assert (shop.open, shop.log_level, shop.env, shop.number) == (False, "INFO", Env.DEVELOPMENT, None)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load(Shop, {"PORT": "eighty", "KEY": "xyz", "COLOUR": "green", "OPEN": "yes", "NUMBER": "7"})

    assert refused.value.problems == [
        "PORT is malformed: not a valid int",
        "KEY is malformed: not hexadecimal",
        "FOLDER is missing (where things lie)",
        "OPEN is malformed: use 1 or 0",
        "COLOUR is malformed: one of red, blue",
        "NUMBER is malformed: not a valid UUID",
    ]


def test_production_refuses_what_development_allows() -> None:
    load(Shop, {**GIVEN, "ENV": "development"})

    with pytest.raises(SettingsError, match="COLOUR is a development colour"):
        load(Shop, {**GIVEN, "ENV": "production"})
    load(Shop, {**GIVEN, "ENV": "production", "COLOUR": "blue"})


def test_a_process_says_everything_in_one_line_and_exits_with_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (*GIVEN, "ENV", "COLOUR", "OPEN", "NUMBER", "NAMES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORT", "x")

    with pytest.raises(SystemExit) as ended:
        load_or_exit(Shop)

    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert len(lines) == 1
    assert all(name in lines[0] for name in ("PORT", "KEY", "FOLDER"))


def test_a_secret_is_not_shown_with_its_settings() -> None:
    shown = repr(load(Shop, GIVEN))

    assert "8100" in shown
    assert "00ff" not in shown
    assert "xff" not in shown
