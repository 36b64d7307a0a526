"""One row of an answer, read by the hospital's words. What cannot be read makes the answer unusable, in words without content."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from contracts.money import parse_yuan, yuan
from foundation.clock import LOCAL, local
from foundation.errors import invalid
from front_gateway.dialects.soap.hospital_profile import Profile
from front_gateway.dialects.soap.trees import Node
from front_gateway.refusals import Target, Unusable


def unusable(reason: str) -> Unusable:
    """The refusal for an answer that is not what was asked."""
    return Unusable(Target.HIS, reason)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of what `interface` answered."""

    profile: Profile
    interface: str
    node: Node

    def text(self, word: str) -> str:
        """The text of a field; empty when it is not there."""
        return self.node.text_at(self.profile.name(self.interface, word))

    def needed(self, word: str) -> str:
        """The text of a field; `Unusable` when there is none."""
        if not (found := self.text(word)):
            raise self._wrong(word, "is missing")
        return found

    def meaning(self, word: str, listed: str) -> str:
        """Our word for a code; `Unusable` for a code that is not in the profile."""
        found = self.profile.meaning(listed, self.text(word))
        if found is None:
            raise self._wrong(word, "has an unknown code")
        return found

    def day(self, word: str) -> date | None:
        """A day, also from a moment; None when the field is empty, `Unusable` when it is no day."""
        if not (found := self.text(word)):
            return None
        for pattern in (self.profile.formats.day, self.profile.formats.moment):
            try:
                return datetime.strptime(found, pattern).replace(tzinfo=LOCAL).date()
            except ValueError:
                continue
        raise self._wrong(word, "is no day")

    def moment(self, word: str) -> datetime:
        """A moment in UTC."""
        found = self.needed(word)
        try:
            at = datetime.strptime(found, self.profile.formats.moment).replace(tzinfo=LOCAL)
        except ValueError:
            raise self._wrong(word, "is no moment") from None
        return at.astimezone(UTC)

    def fen(self, word: str) -> int:
        """An amount that is not negative."""
        found = self.needed(word)
        try:
            fen = parse_yuan(found) if self.profile.formats.money == "yuan" else int(found)
        except ValueError:
            raise self._wrong(word, "is no amount") from None
        if fen < 0:
            raise self._wrong(word, "is negative")
        return fen

    def number(self, word: str, default: int) -> int:
        """A whole number; `default` when the field is empty."""
        found = self.text(word) or str(default)
        if not (found.isascii() and found.isdigit() and len(found) < 10):
            raise self._wrong(word, "is no number")
        return int(found)

    def under(self, word: str) -> Iterator["Row"]:
        """The rows of a list inside this one."""
        for node in self.node.all(self.profile.name(self.interface, word)):
            yield Row(self.profile, self.interface, node)

    def texts(self, word: str) -> list[str]:
        """The texts of a list of single values."""
        nodes = self.node.all(self.profile.name(self.interface, word))
        return [one.text.strip() for one in nodes if one.text.strip()]

    def _wrong(self, word: str, why: str) -> Unusable:
        return unusable(f"{self.interface}: {word} {why}")


class Words:
    """Our values as the hospital writes them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def day(self, day: date) -> str:
        """A calendar day."""
        return day.strftime(self._profile.formats.day)

    def moment(self, moment: datetime) -> str:
        """A moment on a Shanghai wall clock."""
        return local(moment).strftime(self._profile.formats.moment)

    def money(self, fen: int) -> str:
        """An amount."""
        return yuan(fen) if self._profile.formats.money == "yuan" else str(fen)

    def code(self, listed: str, meaning: str) -> str | None:
        """The hospital's code for one of our words; None when it has none."""
        return self._profile.code(listed, meaning)

    def charge_kind(self, kind: str) -> str:
        """The hospital's code for what a fee is for; `Invalid` naming the field when it has none."""
        if (code := self.code("charge_kind", kind)) is None:
            raise invalid("kind", "not_allowed", "不在可选范围内")
        return code
