"""The words of one hospital: read from TOML, checked whole, so that whoever writes one sees every mistake at once."""

import re
import tomllib
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from front_gateway.dialects.words import SystemsError

DEFAULT = Path(__file__).parent / "soap.toml"
OPTIONAL = frozenset({"reports", "slots", "write_dispense", "stock", "prices", "lock_fee", "unlock_fee"})
"""Interfaces that a hospital may lack. Allergies are not among them: none told looks like none known."""
OTHERS = "*"
CODES: dict[str, frozenset[str]] = {
    "sex": frozenset({"male", "female", "unknown"}),
    "patient_state": frozenset({"valid", "merged", "void"}),
    "entry_state": frozenset({"valid", "void"}),
    "visit_kind": frozenset({"outpatient", "inpatient", "emergency", "online"}),
    "visit_status": frozenset(
        {
            "planned",
            "arrived",
            "triaged",
            "in-progress",
            "onleave",
            "finished",
            "cancelled",
            "entered-in-error",
        }
    ),
    "certainty": frozenset({"confirmed", "suspected", "void"}),
    "slot_status": frozenset({"free", "busy", "busy-unavailable", "busy-tentative", "entered-in-error"}),
    "report_category": frozenset({"laboratory", "imaging", "other"}),
    "flag": frozenset({"H", "L", ""}),
    "charge_kind": frozenset({"registration", "prescription", "refund"}),
    "lock_state": frozenset({"held", "over"}),
}
"""Our words of each list of codes."""
SAID = {"certainty": ("confirmed", "suspected"), "charge_kind": ("registration", "prescription", "refund")}
"""Those of them that are written, and so need a code of the hospital's."""
_NAME = re.compile(r"[^\W\d][\w.-]*")
_SAMPLE = datetime(2031, 12, 28, 13, 45)  # noqa: DTZ001 - only its digits matter
S = TypeVar("S", bound=msgspec.Struct)


class ProfileError(SystemsError):
    """`mistakes` has one sentence each, starting with the key it is about."""

    def __init__(self, path: Path, mistakes: list[str]) -> None:
        super().__init__(f"{path}: {'; '.join(mistakes)}")
        self.mistakes = mistakes


class Wire(msgspec.Struct, frozen=True):
    """The SOAP method."""

    path: str
    wsdl: str
    namespace: str
    method: str
    soap_action: str
    request: str
    head: str
    result: str
    charset: str
    cdata: bool


class Frame(msgspec.Struct, frozen=True):
    """The XML string, both ways."""

    root: str
    head: str
    body: str
    interface: str
    message_id: str
    sender: str
    sender_code: str
    sent_at: str
    page: str
    page_size: str
    rows_per_page: int
    result_code: str
    result_text: str
    answered_id: str
    rows: str
    total: str


class Results(msgspec.Struct, frozen=True):
    """Result codes by what they mean."""

    done: list[str]
    nothing: list[str]
    exists: list[str]
    taken: list[str]
    over: list[str]
    refused: list[str]
    busy: list[str]


class Formats(msgspec.Struct, frozen=True):
    """Days, moments, money."""

    day: str
    moment: str
    money: str
    id_card: str


@dataclass(frozen=True)
class Profile:
    """Everything about one hospital's interface. `meanings` turns `results` round."""

    wire: Wire
    frame: Frame
    formats: Formats
    meanings: dict[str, str]
    interfaces: dict[str, str]
    names: dict[str, str]
    names_of: dict[str, dict[str, str]]
    codes: dict[str, dict[str, str]]

    def name(self, interface: str, word: str) -> str:
        """Path of the element that `interface` has for `word`."""
        return self.names_of.get(interface, {}).get(word) or self.names[word]

    def meaning(self, listed: str, code: str) -> str | None:
        """Our word for a hospital's code; None for a code that is not listed."""
        found = self.codes[listed]
        return found.get(code, found.get(OTHERS))

    def code(self, listed: str, meaning: str) -> str | None:
        """The hospital's code for our word; None when it has none."""
        return next(
            (code for code, ours in self.codes[listed].items() if ours == meaning and code != OTHERS), None
        )


def read_profile(path: Path | None) -> Profile:
    """The profile in the file at `path` over the default one; `ProfileError` with everything that is wrong."""
    shipped = _table(DEFAULT)
    if path is None:
        return _checked(DEFAULT, shipped, [])
    own, mistakes = _table(path), []
    merged = dict(shipped)
    for name, table in own.items():
        if name not in shipped:
            mistakes.append(f"unknown table {name!r}")
        elif not isinstance(table, dict):
            mistakes.append(f"{name}: expected a table")
        else:
            merged[name] = {**shipped[name], **table}
    return _checked(path, merged, mistakes)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(path, [f"cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(path, [f"no TOML: {error}"]) from None


def _checked(path: Path, raw: dict[str, Any], mistakes: list[str]) -> Profile:
    shipped = _table(DEFAULT)
    wire = _struct("wire", raw["wire"], Wire, mistakes)
    frame = _struct("frame", raw["frame"], Frame, mistakes)
    formats = _struct("formats", raw["formats"], Formats, mistakes)
    results = _struct("results", raw["results"], Results, mistakes)
    interfaces = _texts("interfaces", raw["interfaces"], set(shipped["interfaces"]), mistakes)
    names = _texts("names", raw["names"], set(shipped["names"]), mistakes)
    mistakes += [
        f"names.{word}: {name!r} is no path of elements" for word, name in names.items() if not _is_path(name)
    ]
    names_of = _names_of(raw["names_of"], set(interfaces), set(names), mistakes)
    codes = _codes(raw["codes"], mistakes)
    mistakes += _interface_mistakes(interfaces)
    mistakes += _wire_mistakes(wire) if wire else ()
    mistakes += _frame_mistakes(frame) if frame else ()
    mistakes += _format_mistakes(formats) if formats else ()
    meanings = _meanings(results, mistakes) if results else {}
    if mistakes or wire is None or frame is None or formats is None:
        raise ProfileError(path, mistakes)
    return Profile(wire, frame, formats, meanings, interfaces, names, names_of, codes)


def _struct(table: str, raw: Any, kind: type[S], mistakes: list[str]) -> S | None:
    """`raw` as `kind`; each wrong or unknown key becomes a mistake."""
    hints = typing.get_type_hints(kind)
    wrong = [f"{table}.{name}: unknown" for name in raw if name not in hints]
    for name, hint in hints.items():
        try:
            msgspec.convert(raw.get(name), hint)
        except msgspec.ValidationError as error:
            wrong.append(f"{table}.{name}: {str(error).partition(' - at ')[0].lower()}")
    mistakes += wrong
    return None if wrong else msgspec.convert(raw, kind)


def _texts(table: str, raw: dict[str, Any], known: set[str], mistakes: list[str]) -> dict[str, str]:
    mistakes += [f"{table}.{name}: unknown" for name in raw if name not in known]
    mistakes += [
        f"{table}.{name}: expected a text" for name in raw if name in known and not isinstance(raw[name], str)
    ]
    return {name: value for name, value in raw.items() if name in known and isinstance(value, str)}


def _names_of(
    raw: Any, interfaces: set[str], words: set[str], mistakes: list[str]
) -> dict[str, dict[str, str]]:
    found = {}
    for interface, table in raw.items():
        if interface not in interfaces or not isinstance(table, dict):
            mistakes.append(f"names_of.{interface}: no such interface")
            continue
        found[interface] = _texts(f"names_of.{interface}", table, words, mistakes)
        mistakes += [
            f"names_of.{interface}.{word}: {name!r} is no path of elements"
            for word, name in found[interface].items()
            if not _is_path(name)
        ]
    return found


def _codes(raw: Any, mistakes: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    mistakes += [f"codes.{listed}: no such list" for listed in raw if listed not in CODES]
    for listed, allowed in CODES.items():
        table = raw.get(listed)
        if not isinstance(table, dict):
            mistakes.append(f"codes.{listed}: expected a table")
            continue
        mistakes += [
            f"codes.{listed}.{code}: {ours!r} is none of {', '.join(sorted(allowed))}"
            for code, ours in table.items()
            if ours not in allowed
        ]
        said = {ours for code, ours in table.items() if code != OTHERS}
        mistakes += [f"codes.{listed}: no code for {one}" for one in SAID.get(listed, ()) if one not in said]
        found[listed] = {str(code): str(ours) for code, ours in table.items()}
    return found


def _interface_mistakes(interfaces: dict[str, str]) -> Iterator[str]:
    used: dict[str, str] = {}
    for name, code in interfaces.items():
        if not code and name not in OPTIONAL:
            yield f"interfaces.{name}: needed"
        elif code and code in used:
            yield f"interfaces.{name}: {code!r} is that of {used[code]}"
        used[code] = name


def _meanings(results: Results, mistakes: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for meaning, codes in msgspec.structs.asdict(results).items():
        if not codes and meaning in ("done", "nothing"):
            mistakes.append(f"results.{meaning}: needed")
        for code in codes:
            if code in found:
                mistakes.append(f"results.{meaning}: {code!r} is {found[code]} already")
            found[code] = meaning
    return found


def _wire_mistakes(wire: Wire) -> Iterator[str]:
    if wire.charset not in ("utf-8", "gbk", "gb18030"):
        yield f"wire.charset: {wire.charset!r} is none of utf-8, gbk, gb18030"
    for name in ("path", "wsdl"):
        value = getattr(wire, name)
        if value and not re.fullmatch(r"[/?][A-Za-z0-9/._~?=&-]*", value):
            yield f"wire.{name}: {value!r} is no path"
    if not re.fullmatch(r"[\x21-\x7e]+", wire.namespace):
        yield f"wire.namespace: {wire.namespace!r} is no address"
    if not re.fullmatch(r"[\x20-\x7e]*", wire.soap_action) or '"' in wire.soap_action:
        yield f"wire.soap_action: {wire.soap_action!r} is no address"
    for name in ("method", "request", "result", *(("head",) if wire.head else ())):
        if not _NAME.fullmatch(getattr(wire, name)):
            yield f"wire.{name}: {getattr(wire, name)!r} is no element"


def _frame_mistakes(frame: Frame) -> Iterator[str]:
    empty = {"page", "page_size", "answered_id", "total", "head", "body"}
    for name, value in msgspec.structs.asdict(frame).items():
        if name in ("sender_code", "rows_per_page") or (name in empty and value == ""):
            continue
        if not _is_path(value):
            yield f"frame.{name}: {value!r} is no path of elements"
    if not 1 <= frame.rows_per_page <= 1000:
        yield "frame.rows_per_page: 1 to 1000"
    if frame.page and not frame.page_size:
        yield "frame.page_size: needed where there are pages"


def _format_mistakes(formats: Formats) -> Iterator[str]:
    if formats.money not in ("yuan", "fen"):
        yield f"formats.money: {formats.money!r} is neither yuan nor fen"
    for name, wanted in (("day", _SAMPLE.replace(hour=0, minute=0)), ("moment", _SAMPLE)):
        pattern = getattr(formats, name)
        try:
            whole = datetime.strptime(wanted.strftime(pattern), pattern) == wanted  # noqa: DTZ007
        except ValueError:
            whole = False
        if not whole:
            yield f"formats.{name}: {pattern!r} does not tell one {name} from another"


def _is_path(text: str) -> bool:
    return all(_NAME.fullmatch(part) for part in text.split("/"))
