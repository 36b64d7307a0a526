"""From the file to checked lines; all mistakes at once, because a whitelist is read by a person who wants them all."""

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from contracts import his, supervision
from front_gateway.policy.fields import field_mistakes, plan
from front_gateway.policy.hours import hours, hours_mistakes
from front_gateway.policy.let_in import let_in, let_in_mistakes
from front_gateway.policy.lines import KEPT, Caller, CallerText, Entry, EntryText, HeaderList, Network
from front_gateway.policy.senders import Sender, SenderText, sender_mistakes, sender_of
from front_gateway.refusals import Target

DEFAULT = Path(__file__).parent.parent / "whitelist.toml"
INWARD = "/his/v1/"
SUPERVISION = "/supervision/v1/"
PURPOSES = frozenset({"eligibility", "treatment", "write_back", "schedule", "payment", "supply"})
KEEPING_PURPOSES = frozenset({"keeping", "reading"})
MOST_BODY, MOST_SECONDS = 1_000_000, 120
"""Of lines that are no store lines: their bodies are held in memory."""
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\{[a-z_]+\}))+")
_HEADER = re.compile(r"[a-z0-9-]+\*?")
_FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_QUERY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_FRAMING = {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer"}
T = TypeVar("T", bound=msgspec.Struct)


class WhitelistError(Exception):
    """`mistakes` has one sentence each, starting with the caller or entry it is about."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Policy:
    """The whole policy. `callers` and `senders` by name, `entries` in the file's order."""

    callers: dict[str, Caller]
    entries: tuple[Entry, ...]
    senders: dict[str, Sender] = field(default_factory=dict)


def read_policy(path: Path) -> Policy:
    """The policy in the TOML file at `path`; `WhitelistError` with everything that is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WhitelistError([f"{path} cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WhitelistError([f"{path} is no TOML: {error}"]) from None
    return parse_policy(raw)


def parse_policy(raw: dict[str, Any]) -> Policy:
    """The policy in a decoded file."""
    mistakes = [f"unknown table {name!r}" for name in raw if name not in ("callers", "entry", "senders")]
    callers = _callers(raw.get("callers"), mistakes)
    entries = _entries(raw.get("entry"), callers, mistakes)
    _overlaps(entries, mistakes)
    senders = _senders(raw.get("senders", {}), mistakes)
    if mistakes:
        raise WhitelistError(mistakes)
    return Policy(callers, tuple(entries), senders)


def _senders(raw: Any, mistakes: list[str]) -> dict[str, Sender]:
    if not isinstance(raw, dict):
        mistakes.append("senders: not a table")
        return {}
    found: dict[str, Sender] = {}
    for name, line in raw.items():
        where = f"sender {name!r}"
        text = _convert(line, SenderText, where, mistakes)
        wrong = [] if text is None else sender_mistakes(name, text, found.values())
        mistakes += [f"{where}: {one}" for one in wrong]
        if text is not None and not wrong:
            found[name] = sender_of(name, text)
    return found


def _callers(raw: Any, mistakes: list[str]) -> dict[str, Caller]:
    if not isinstance(raw, dict) or not raw:
        mistakes.append("callers: the file names none")
        return {}
    found: dict[str, Caller] = {}
    for name, line in raw.items():
        text = _convert(line, CallerText, f"caller {name!r}", mistakes)
        if text is None:
            continue
        networks: list[Network] = []
        for address in text.addresses:
            try:
                networks.append(ipaddress.ip_network(address))
            except ValueError as error:
                mistakes.append(f"caller {name!r}: address {address!r} is no CIDR network ({error})")
        if any(other.identity == text.identity for other in found.values()):
            mistakes.append(f"caller {name!r}: identity {text.identity} is another caller's")
        found[name] = Caller(name, text.identity, tuple(networks))
    return found


def _entries(raw: Any, callers: dict[str, Caller], mistakes: list[str]) -> list[Entry]:
    if not isinstance(raw, list) or not raw:
        mistakes.append("entry: the file has none")
        return []
    found: list[Entry] = []
    names: set[str] = set()
    for number, line in enumerate(raw, 1):
        where = f"entry {line.get('name', number)!r}" if isinstance(line, dict) else f"entry {number}"
        text = _convert(line, EntryText, where, mistakes)
        if text is None:
            continue
        wrong = [f"caller {name!r} is not in the file" for name in text.callers if name not in callers]
        if text.name in names:
            wrong.append("the name is used twice")
        names.add(text.name)
        wrong += _MISTAKES[text.target](text) + _size_mistakes(text) + hours_mistakes(text.hours, text.days)
        mistakes += [f"{where}: {one}" for one in wrong]
        if not wrong:
            found.append(_entry(text))
    return found


def _entry(text: EntryText) -> Entry:
    when = hours(text.hours, text.days)
    if text.target is Target.CITY:
        return Entry(
            text, text.method, text.path, hours=when, query=frozenset(text.query),
            out=HeaderList(text.headers), back=HeaderList(text.reply_headers),
        )  # fmt: skip
    if text.target is Target.STORE:
        return Entry(
            text, text.method, f"{KEPT}{{folder}}/{{key}}", frozenset(text.purposes), hours=when,
            folders=frozenset(text.folders),
        )  # fmt: skip
    inward = text.target is Target.HIS
    kind = (his if inward else supervision).BY_OPERATION[text.operation]
    return Entry(
        text, "POST", (INWARD if inward else SUPERVISION) + text.operation, frozenset(text.purposes),
        plan(kind.REPLY, text.fields), hours=when, let_in=let_in(kind, text.body) if text.body else None,
    )  # fmt: skip


def _size_mistakes(text: EntryText) -> list[str]:
    if text.target is Target.STORE:
        return []
    wrong = ["folders belongs to store lines"] if text.folders else []
    if text.max_body > MOST_BODY:
        wrong.append(f"max_body: at most {MOST_BODY} where a body is held in memory")
    if text.seconds > MOST_SECONDS:
        wrong.append(f"seconds: at most {MOST_SECONDS} but for store lines")
    return wrong


def _store_mistakes(text: EntryText) -> list[str]:
    wrong = [
        f"{name} belongs to other lines"
        for name in ("operation", "fields", "body", "path", "query", "headers", "reply_headers")
        if getattr(text, name)
    ]
    if text.method not in ("PUT", "HEAD", "GET"):
        wrong.append("method must be PUT, HEAD or GET: nothing is removed and nothing listed")
    if not text.folders:
        wrong.append("folders is empty")
    wrong += [f"folder {one!r} is no plain name" for one in text.folders if not _FOLDER.fullmatch(one)]
    if not text.purposes:
        wrong.append("purposes is empty")
    wrong += [
        f"purpose {one!r} is none of {', '.join(sorted(KEEPING_PURPOSES))}"
        for one in text.purposes
        if one not in KEEPING_PURPOSES
    ]
    return wrong


def _typed_mistakes(text: EntryText, operations: Mapping[str, Any]) -> list[str]:
    wrong = [
        f"{name} belongs to outward lines"
        for name in ("method", "path", "query", "headers", "reply_headers")
        if getattr(text, name)
    ]
    kind = operations.get(text.operation)
    if kind is None:
        return [*wrong, f"operation {text.operation!r} is none of {', '.join(sorted(operations))}"]
    wrong += let_in_mistakes(kind, text.body) if text.body else []
    return wrong + field_mistakes(kind.REPLY, text.fields)


def _supervision_mistakes(text: EntryText) -> list[str]:
    wrong = ["purposes belongs to inward lines"] if text.purposes else []
    return wrong + _typed_mistakes(text, supervision.BY_OPERATION)


def _inward_mistakes(text: EntryText) -> list[str]:
    wrong = _typed_mistakes(text, his.BY_OPERATION)
    if not text.purposes:
        wrong.append("purposes is empty")
    wrong += [
        f"purpose {one!r} is none of {', '.join(sorted(PURPOSES))}"
        for one in text.purposes
        if one not in PURPOSES
    ]
    return wrong


def _outward_mistakes(text: EntryText) -> list[str]:
    wrong = [
        f"{name} belongs to inward lines"
        for name in ("operation", "purposes", "fields", "body")
        if getattr(text, name)
    ]
    if text.method not in ("GET", "POST"):
        wrong.append("method must be GET or POST")
    if not _PATH.fullmatch(text.path):
        wrong.append(f"path {text.path!r} is not a plain path")
    elif text.path.startswith(INWARD):
        wrong.append(f"path {text.path!r} belongs to the hospital")
    elif text.path.startswith(SUPERVISION):
        wrong.append(f"path {text.path!r} belongs to the supervisors")
    elif text.path.startswith(KEPT):
        wrong.append(f"path {text.path!r} belongs to the hospital's store")
    wrong += [f"query field {one!r} is no plain name" for one in text.query if not _QUERY.fullmatch(one)]
    for name in (*text.headers, *text.reply_headers):
        if not _HEADER.fullmatch(name):
            wrong.append(f"header {name!r} is not a lower-case name")
        elif name in _FRAMING or name == "*":
            wrong.append(f"header {name!r} cannot be passed on")
    return wrong


def _image_mistakes(text: EntryText) -> list[str]:
    return [
        f"target 'pacs' is behind target 'his': {text.operation or 'this line'} is an operation of the hospital"
    ]


_MISTAKES = {
    Target.HIS: _inward_mistakes, Target.CITY: _outward_mistakes, Target.BACKEND: _supervision_mistakes,
    Target.PACS: _image_mistakes, Target.STORE: _store_mistakes,
}  # fmt: skip


def _overlaps(entries: list[Entry], mistakes: list[str]) -> None:
    """Two lines for one caller, method, path and purpose would make the file's order decide: refused."""
    for index, one in enumerate(entries):
        for other in entries[index + 1 :]:
            shared = set(one.text.callers) & set(other.text.callers)
            same_path = (
                one.matches(other.path) or other.matches(one.path) or bool(one.folders & other.folders)
            )
            same_purpose = not one.purposes or not other.purposes or one.purposes & other.purposes
            if shared and same_path and same_purpose and one.method == other.method:
                mistakes.append(
                    f"entry {other.name!r}: {', '.join(sorted(shared))} already has this by entry {one.name!r}"
                )


def _convert(line: Any, kind: type[T], where: str, mistakes: list[str]) -> T | None:
    """`line` as `kind`, every wrong key named on its own; None when there was one."""
    if not isinstance(line, dict):
        mistakes.append(f"{where}: not a table")
        return None
    infos = {info.name: info for info in msgspec.structs.fields(kind)}
    wrong = [f"{where}: unknown key {name!r}" for name in line if name not in infos]
    for name, info in infos.items():
        if name not in line:
            wrong += [f"{where}: {name} is missing"] if info.required else []
            continue
        try:
            msgspec.convert(line[name], info.type)
        except msgspec.ValidationError as error:
            wrong.append(f"{where}: {name}: {error}")
    mistakes += wrong
    return None if wrong else msgspec.convert(line, kind)
