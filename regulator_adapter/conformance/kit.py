"""What a case holds in its hands: a caller of the receiver, and records to send."""

import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from foundation.clock import Clock
from regulator_adapter.city_wire import Credentials, Message, encrypt, signature, signed_text
from regulator_adapter.conformance.examples import Examples
from regulator_adapter.profiles import Method, Profile

SECONDS = 30


class NotTried(Exception):
    """The case cannot be tried here; says why."""


class Differs(Exception):
    """The receiver did something else; says what was expected and what came."""


@dataclass(frozen=True)
class Said:
    """One answer, taken apart. `status` 0: no answer at all."""

    status: int
    outer: int | None = None
    outer_text: str = ""
    inner: int | None = None
    text: str = ""
    receipts: Sequence[Mapping[str, Any]] = ()
    rows: Sequence[Mapping[str, Any]] = ()

    @property
    def first(self) -> Mapping[str, Any]:
        """What was said of the first record, where records are answered for; empty where they are not."""
        return next(iter(self.rows or self.receipts), {})

    def __str__(self) -> str:
        if self.status != 200:
            return f"HTTP {self.status}" if self.status else "no answer"
        if self.outer != 200:
            return f"outer {self.outer} {self.outer_text}".strip()
        return f"inner {self.inner} {self.text}".strip()


@dataclass(frozen=True)
class Options:
    """What the caller allows and knows. `controls` is the plain port of a receiver that makes faults on demand (ours does)."""

    quota: bool = False
    controls: str = ""
    unlisted: str = ""


@dataclass
class Kit:
    """One run against one receiver."""

    url: str
    profile: Profile
    credentials: Credentials
    examples: Examples
    tls: ssl.SSLContext | None
    options: Options
    clock: Clock = field(default_factory=Clock)
    session: aiohttp.ClientSession | None = None
    _made: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Kit"]:
        """With a connection pool."""
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.tls if self.tls else True), timeout=timeout
        ) as self.session:
            yield self

    async def send(self, method: str, records: Sequence[Any], **values: str) -> Said:
        """Seal and send as a hospital does; `values` are changed before signing."""
        return await self.post(self.envelope(method, self.sealed(records), **values))

    def sealed(self, records: Any) -> bytes:
        """The body of `records`."""
        plain = json.dumps(records, ensure_ascii=False, separators=(",", ":")).encode()
        return encrypt(plain, self.credentials, self.profile.suite).hex().encode()

    def envelope(self, method: str, body: bytes, **values: str) -> Message:
        """Headers for `body`, signed after `values` (x_ca_nonce=…) are changed."""
        digest = self.profile.suite.digest(body).hex().upper()
        signed = {
            "x-ca-key": self.credentials.app_key,
            "x-ca-nonce": str(uuid4()),
            "x-ca-timestamp": str(int(self.clock.now().timestamp() * 1000)),
            "x-content-md5": digest,
            "x-service-id": self.profile.service,
            "x-service-method": method,
        } | {name.replace("_", "-"): value for name, value in values.items()}
        headers = {"content-type": "application/json", **signed}
        if not self.profile.signed_by_key:
            return Message(headers | {"x-ca-signature": signature(signed, self.profile.suite)}, body, digest)
        signer = self.credentials.signer
        if signer is None:
            raise NotTried("this profile is signed by a key of the hospital, and none was given")
        made = {
            "x-ca-signature-method": signer.algorithm,
            "x-ca-signature": signer.sign(signed_text(signed)).hex(),
        }
        return Message(headers | made, body, digest)

    async def post(self, message: Message, *, source: str = "", **headers: str | None) -> Said:
        """Send `message`; `headers` are changed after signing, None takes one away. `source`: from another address."""
        changed = dict(message.headers) | {
            name.replace("_", "-"): value for name, value in headers.items() if value is not None
        }
        for name, value in headers.items():
            if value is None:
                changed.pop(name.replace("_", "-"))
        assert self.session is not None
        try:
            if source:
                connector = aiohttp.TCPConnector(ssl=self.tls if self.tls else True, local_addr=(source, 0))
                async with aiohttp.ClientSession(connector=connector) as other:
                    return await self._answer(other, changed, message.body)
            return await self._answer(self.session, changed, message.body)
        except (aiohttp.ClientError, TimeoutError):
            return Said(0)

    async def _answer(self, session: aiohttp.ClientSession, headers: Mapping[str, str], body: bytes) -> Said:
        async with session.post(self.url, data=body, headers=headers, allow_redirects=False) as response:
            text = await response.text(errors="replace")
            if response.status != 200:
                return Said(response.status)
        try:
            answer = json.loads(text)
            inner = answer.get("body") or {}
            return Said(
                200, answer["code"], str(answer.get("msg", "")), inner.get("msgCode"), str(inner.get("msg", "")),
                inner.get("receipts", ()), inner.get("rows", ()),
            )  # fmt: skip
        except (ValueError, KeyError, AttributeError, TypeError):
            return Said(200, None, text[:80])

    async def good(self, method: str, **fixed: Any) -> dict[str, Any]:
        """A record that should be taken, with everything it needs sent before."""
        return self.examples.record(method, **{**await self.needed(method, **fixed), **fixed})

    async def needed(self, method: str, **fixed: Any) -> dict[str, Any]:
        """The numbers a record of `method` depends on, each made known by a record of its own."""
        found: dict[str, Any] = {}
        for kind, path in self.profile.methods[method].needs:
            known = kind
            if kind.startswith("@"):
                code, known = next(iter(self.profile.kinds[kind[1:]].items()))
                found[kind[1:]] = fixed.get(kind[1:], code)
                known = self.profile.kinds[kind[1:]].get(str(found[kind[1:]]), known)
            outer, _, inside = path.partition(".")
            number = await self.known(known)
            found[outer] = number if not inside else self._list_with(method, outer, inside, number)
        return found

    async def known(self, kind: str) -> str:
        """A number of this kind that the receiver knows."""
        if kind not in self._made:
            maker = next(one for one in self.profile.methods.values() if one.makes[0] == kind)
            record = await self.good(maker.name)
            accepted(await self.send(maker.name, [record]), self.profile)
            self._made[kind] = str(record[maker.makes[1]])
        return self._made[kind]

    def _list_with(self, method: str, outer: str, inside: str, number: str) -> Any:
        field_of = next(one for one in self.profile.methods[method].fields if one.name == outer)
        entries = self.examples.value(self.profile.methods[method], field_of)
        return [entry | {inside: number} for entry in entries]

    def simplest(self) -> Method:
        """A method whose records need nothing."""
        return next(one for one in self.profile.methods.values() if not one.needs)

    async def fault(self, **switches: Any) -> None:
        """Ask the receiver for exactly these faults, where it makes them."""
        if not self.options.controls:
            raise NotTried("needs a receiver that makes faults on demand (--controls)")
        assert self.session is not None
        address = f"{self.options.controls.rstrip('/')}/_test/faults"
        async with self.session.put(address, json=switches) as answer:
            if answer.status != 200:
                raise NotTried(f"the receiver does not make this fault: HTTP {answer.status}")


def accepted(said: Said, profile: Profile) -> None:
    """`Differs` unless all of the list was stored."""
    whole = (said.status, said.outer, said.inner) == (200, 200, 200)
    if whole and profile.row_key:
        whole = bool(said.rows) and all(row.get("status") == 1 for row in said.rows)
    if not whole:
        bad = next((row for row in said.rows if row.get("status") != 1), None)
        raise Differs(f"expected to be stored, got {said}" + (f" {dict(bad)}" if bad else ""))


def outer(said: Said, *codes: int) -> None:
    """`Differs` unless the envelope was refused with one of `codes`."""
    if said.status != 200 or said.outer not in codes:
        raise Differs(f"expected outer {' or '.join(map(str, codes))}, got {said}")


def refused(said: Said, profile: Profile, code: int, words: str = "", at: int = 0) -> None:
    """`Differs` unless the record at `at` was refused with inner `code` and words that begin with `words`."""
    if profile.row_key and said.inner == 200:
        rows = said.rows
        row = rows[at] if at < len(rows) else {}
        found, text = row.get("msgCode"), str(row.get("msg", ""))
        if row.get("status") != 2:
            found = 200
    else:
        found, text = said.inner, said.text
    if found != code or not text.startswith(words):
        raise Differs(
            f"expected inner {code} {words}".rstrip() + f", got {found} {text}"
            if found is not None
            else f"expected inner {code}, got {said}"
        )
