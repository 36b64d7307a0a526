"""Settings of whoever puts events into a JetStream, or takes them out: both ends read the same three."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from foundation.crypto import Keyring
from foundation.settings import setting

NO_INDEX = bytes(32)
"""Nothing is looked up by what travels."""


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """A part of a process's settings."""

    nats_url: str = setting(
        "NATS server whose JetStream carries the feed, nats:// or tls:// (then with the certificates above); none: HTTP to the adapter",
        default="", secret=True,
    )  # fmt: skip
    feed_keys: str = setting(
        "keys of what lies in the JetStream, `id:hex32,…`, the same at both ends", default="", secret=True
    )
    feed_key_current: str = setting("id of the key that new messages use", default="")

    def feed_keyring(self) -> Keyring:
        """Keys of the messages; `ValueError`."""
        pairs = (part.strip().partition(":") for part in self.feed_keys.split(","))
        return Keyring(
            {name: bytes.fromhex(value) for name, _, value in pairs}, self.feed_key_current, NO_INDEX
        )

    def feeding_problems(self) -> list[str]:
        """What cannot be."""
        if not self.nats_url:
            return []
        problems = []
        if urlsplit(self.nats_url).scheme not in ("nats", "tls"):
            problems.append("NATS_URL is malformed: not nats or tls")
        try:
            self.feed_keyring()
        except ValueError as error:
            problems.append(f"FEED_KEYS or FEED_KEY_CURRENT is malformed: {error}")
        return problems

    def feeding_in_the_clear(self) -> list[str]:
        """What ENV=production refuses: messages are sealed, the password of the address is not."""
        return ["NATS_URL is not tls"] if self.nats_url and not self.nats_url.startswith("tls://") else []
