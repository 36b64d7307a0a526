"""Who of the hospital's systems may push HL7 v2 messages, and which: `[senders.<name>]` of the whitelist."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from front_gateway.policy.lines import Caller, Count, Network

MESSAGES = frozenset({"ORU^R01", "ORM^O01", "ADT^A08", "ADT^A40"})
CHARSETS = ("utf-8", "gb18030")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


class SenderText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`application` and `facility` are MSH-3 and MSH-4, compared exactly (an empty facility: any).

    With an `identity` (URI SAN) it may come over TLS only, without one from this machine only. `charset` for messages that
    name none; `per_second` and `burst` count messages, `at_once` connections, `max_message` bytes.
    """

    addresses: Annotated[list[str], Meta(min_length=1)]
    application: Annotated[str, Meta(min_length=1, max_length=180)]
    messages: Annotated[list[str], Meta(min_length=1)]
    identity: Annotated[str, Meta(pattern="^(spiffe://[a-z0-9.-]+/[a-z0-9/._-]+)?$")] = ""
    facility: str = ""
    charset: str = "utf-8"
    per_second: Annotated[float, Meta(gt=0, le=10_000)] = 50.0
    burst: Count = 200
    at_once: Annotated[int, Meta(ge=1, le=200)] = 8
    max_message: Annotated[int, Meta(ge=1_000, le=20_000_000)] = 2_000_000


@dataclass(frozen=True)
class Sender:
    """A sender that the file names."""

    name: str
    text: SenderText
    networks: tuple[Network, ...]
    messages: frozenset[str]

    def may_connect(self, identity: str, address: str) -> bool:
        """Whether a connection from `address`, with that certificate (empty: none), may be this sender's."""
        return self.text.identity == identity and Caller("", "", self.networks).may_come_from(address)

    def is_meant(self, application: str, facility: str) -> bool:
        """Whether a message calls itself this sender's."""
        return self.text.application == application and self.text.facility in ("", facility)


def sender_mistakes(name: str, text: SenderText, others: Iterable[Sender]) -> list[str]:
    """One sentence for each thing that is wrong."""
    wrong = [] if _NAME.fullmatch(name) else ["the name has other than small letters, digits and -"]
    networks = []
    for address in text.addresses:
        try:
            networks.append(ipaddress.ip_network(address))
        except ValueError as error:
            wrong.append(f"address {address!r} is no CIDR network ({error})")
    if not text.identity and any(not one.is_loopback for one in networks):
        wrong.append("identity is missing: plain MLLP is taken from this machine only")
    wrong += [
        f"message {one!r} is none of {', '.join(sorted(MESSAGES))}"
        for one in text.messages
        if one not in MESSAGES
    ]
    if text.charset not in CHARSETS:
        wrong.append(f"charset {text.charset!r} is none of {', '.join(CHARSETS)}")
    for other in others:
        if other.is_meant(text.application, text.facility) or (
            not text.facility and other.text.application == text.application
        ):
            wrong.append(f"application {text.application} is sender {other.name!r}'s")
    return wrong


def sender_of(name: str, text: SenderText) -> Sender:
    """The sender of a line that has no mistakes."""
    networks = tuple(ipaddress.ip_network(one) for one in text.addresses)
    return Sender(name, text, networks, frozenset(text.messages))
