"""Who says something in a visit: a person of one of its sides, or a program.

A `Program` is no `Actor` and has none: it has no id, no role, no shift and no certificate, so whatever signs, prescribes or ends
a visit cannot be handed one (监管细则 2022: programs may not diagnose, prescribe or sign in a doctor's place).
"""

from dataclasses import dataclass

from foundation.actor import Actor


@dataclass(frozen=True)
class Speaker:
    """A person on her side of the visit: patient (or whoever acts for her) or doctor."""

    actor: Actor
    side: str


@dataclass(frozen=True)
class Program:
    """A program, by the name its messages carry."""

    name: str


PLATFORM = Program("platform")
"""The hospital's own system: what happened, what is next."""
