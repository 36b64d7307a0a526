"""State machines as data: a table of who may do what when. Pure; `foundation.db.advance` moves rows by it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from foundation.errors import IllegalMove


@dataclass(frozen=True)
class Move:
    """One line of a table: `verb` takes a row from `source` to `target`; `roles` may do it; `event` is then published."""

    source: StrEnum
    verb: str
    target: StrEnum
    roles: frozenset[str]
    event: str | None = None


def move(source: StrEnum, verb: str, target: StrEnum, *roles: str, event: str | None = None) -> Move:
    """A table line, written short."""
    return Move(source, verb, target, frozenset(roles), event)


class Machine:
    """A named table. `labels` has the Chinese word of each state, `fhir` the code a FHIR server would show."""

    def __init__(
        self,
        name: str,
        initial: StrEnum,
        moves: Iterable[Move],
        *,
        labels: dict[StrEnum, str],
        fhir: dict[StrEnum, str] | None = None,
    ) -> None:
        self.name = name
        self.initial = initial
        self.moves = tuple(moves)
        self.states = type(initial)
        self.labels = labels
        self.fhir = fhir or {state: state.value for state in self.states}
        self._table = {(line.source, line.verb): line for line in self.moves}
        if len(self._table) != len(self.moves):
            raise ValueError(f"{name}: two lines for one state and verb")
        if missing := [state for state in self.states if state not in labels]:
            raise ValueError(f"{name}: no label for {missing}")

    def find(self, state: StrEnum, verb: str) -> Move:
        """The line for `verb` in `state`; `IllegalMove` when the table has none."""
        line = self._table.get((state, verb))
        if line is None:
            raise IllegalMove(
                f"当前是“{self.labels[state]}”，不能进行此操作", code=f"{self.name}_{verb}_refused"
            )
        return line

    def already(self, state: StrEnum, verb: str) -> bool:
        """Whether `state` is where `verb` leads: somebody was faster, and the result is the same."""
        return any(line.verb == verb and line.target == state for line in self.moves)

    def sources(self, verb: str) -> tuple[StrEnum, ...]:
        """States in which `verb` is allowed."""
        return tuple(line.source for line in self.moves if line.verb == verb)

    def target(self, verb: str) -> StrEnum:
        """The one state `verb` leads to; `ValueError` when it leads to several."""
        targets = {line.target for line in self.moves if line.verb == verb}
        if len(targets) != 1:
            raise ValueError(f"{self.name}.{verb} leads to {sorted(targets)}")
        return targets.pop()

    def final(self, state: StrEnum) -> bool:
        """Whether nothing leaves `state`."""
        return not any(line.source == state for line in self.moves)
