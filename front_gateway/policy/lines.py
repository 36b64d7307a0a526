"""What the whitelist file may say, and what the gateway keeps of it."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from front_gateway.call import Headers
from front_gateway.policy.hours import Hours
from front_gateway.refusals import Target

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Filter = Callable[[Any], dict[str, Any]]

KEPT = "/kept/"
"""Where the hospital's store begins: `/kept/{folder}/{key…}`."""
Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9 _-]{0,59}$")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class CallerText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[callers.<name>]`: the URI of the certificate and the addresses it may come from (CIDR)."""

    identity: Annotated[str, Meta(pattern="^spiffe://[a-z0-9.-]+/[a-z0-9/._-]+$")]
    addresses: Annotated[list[str], Meta(min_length=1)]


class EntryText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[entry]]`: `operation` with `purposes` and `fields` (inward), `operation` with `fields` (a supervisor's), or `path`, `method` and headers (outward).

    `path` may have segments in braces (`/openapi/{version}`). `headers` and `reply_headers` may end in `*`.
    `body` names the fields of the typed request that may come in (absent: all that the contract has); `query` the query fields of
    an outward line (absent: none). `hours` ("07:00-22:00") and `days` (["mon", "tue"]) are Asia/Shanghai; absent: always.
    `folders` and `method` with `purposes` are a store line's: objects below `/kept/{folder}/`; `max_body` and `seconds` may be large there
    (8 GB, an hour), elsewhere 1 MB and 120 s.
    `per_second`, `burst`, `at_once` count for each caller; `seconds` is the whole call's time; `max_body` is in bytes.
    """

    name: Name
    callers: Annotated[list[str], Meta(min_length=1)]
    target: Target
    max_body: Annotated[int, Meta(ge=1, le=8_000_000_000)]
    operation: str = ""
    purposes: list[str] = []
    fields: list[str] = []
    body: list[str] = []
    query: list[str] = []
    hours: str = ""
    days: list[str] = []
    method: str = ""
    path: str = ""
    headers: list[str] = []
    reply_headers: list[str] = []
    folders: list[str] = []
    per_second: Annotated[float, Meta(gt=0, le=100_000)] = 100.0
    burst: Count = 200
    at_once: Count = 64
    seconds: Annotated[float, Meta(gt=0, le=3_600)] = 5.0


@dataclass(frozen=True)
class Caller:
    """A caller that the file names."""

    name: str
    identity: str
    networks: tuple[Network, ...]

    @lru_cache(maxsize=1_024)  # noqa: B019 - callers live as long as the process
    def may_come_from(self, address: str) -> bool:
        """Whether `address` (text) lies in one of the networks."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self.networks)


class HeaderList:
    """Header names that may pass; a pattern may end in `*`."""

    def __init__(self, patterns: list[str]) -> None:
        self._exact = frozenset(one for one in patterns if not one.endswith("*"))
        self._starts = tuple(one[:-1] for one in patterns if one.endswith("*"))

    def picked(self, headers: Headers) -> Headers:
        """Those of `headers` that are listed."""
        exact, starts = self._exact, self._starts
        return tuple([one for one in headers if one[0] in exact or (starts and one[0].startswith(starts))])


NO_HEADERS = HeaderList([])


@dataclass(frozen=True)
class Entry:
    """One line, checked. `let_in` is the plan for `policy.let_in.kept_out`, `hours` when it is open. Inward `cut` makes the reply from the contract's struct; outward `out` and `back` pick headers."""

    text: EntryText
    method: str
    path: str
    purposes: frozenset[str] = frozenset()
    cut: Filter | None = field(default=None, repr=False)
    out: HeaderList = field(default=NO_HEADERS, repr=False)
    back: HeaderList = field(default=NO_HEADERS, repr=False)
    let_in: dict[str, Any] | None = field(default=None, repr=False)
    query: frozenset[str] = frozenset()
    hours: Hours | None = None
    folders: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The line's name, as audit and metrics show it."""
        return self.text.name

    def matches(self, path: str) -> bool:
        """Whether `path` fits the line's path, segment by segment."""
        if self.folders:
            folder, _, rest = path.removeprefix(KEPT).partition("/")
            return path.startswith(KEPT) and folder in self.folders and rest != ""
        if "{" not in self.path:
            return path == self.path
        wanted, given = self.path.split("/"), path.split("/")
        return len(wanted) == len(given) and all(
            part == other or (part.startswith("{") and other != "")
            for part, other in zip(wanted, given, strict=True)
        )
