"""A form that is shown again because something in it was wrong: nobody types a text twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Typed:
    """`form` is the one that was sent; the other forms of its page stay as they are."""

    form: str = ""
    problem: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def wrong(self, form: str) -> str:
        """What is wrong with this form; empty when it was not the one."""
        return self.problem if form == self.form else ""

    def word(self, form: str, name: str, otherwise: str = "") -> str:
        """What a field of this form holds: what was typed, or what the page gives it."""
        return self.words.get(name, otherwise) if form == self.form else otherwise


NOTHING = Typed()
"""A page that was simply opened."""
