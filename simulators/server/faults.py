"""Faults a tester can switch on: each simulator declares its own names and types."""

import asyncio
import math
from collections.abc import Mapping

from simulators.server.answers import BadField

FaultValue = bool | float | int | str


class Faults:
    """`Faults(down=bool, slow_seconds=float, refuse_writes=str)`: everything is off until it is set."""

    def __init__(self, **declared: type[bool] | type[float] | type[int] | type[str]) -> None:
        self._declared: dict[str, type[FaultValue]] = dict(declared)
        self._set: dict[str, FaultValue] = {}

    def replace(self, values: Mapping[str, object]) -> None:
        """Set exactly these faults, all others off. Raises BadField for an unknown name or a wrong type."""
        self._set = {name: self._checked(name, value) for name, value in values.items()}

    def clear(self) -> None:
        self._set = {}

    def as_dict(self) -> dict[str, FaultValue]:
        return dict(self._set)

    def on(self, name: str) -> bool:
        return bool(self._value(name))

    def number(self, name: str) -> float:
        value = self._value(name)
        return float(value) if value is not None else 0.0

    def text(self, name: str) -> str:
        value = self._value(name)
        return str(value) if value is not None else ""

    async def delay(self) -> None:
        """Sleep for the fault `slow_seconds`, if it is declared and set."""
        if "slow_seconds" in self._declared and (seconds := self.number("slow_seconds")) > 0:
            await asyncio.sleep(seconds)

    def _value(self, name: str) -> FaultValue | None:
        if name not in self._declared:
            raise KeyError(f"fault {name!r} was never declared")
        return self._set.get(name)

    def _checked(self, name: str, value: object) -> FaultValue:
        kind = self._declared.get(name)
        if kind is None:
            raise BadField(name, f"unknown fault; known: {', '.join(sorted(self._declared))}")
        if kind in (float, int) and isinstance(value, int | float) and not isinstance(value, bool):
            if not math.isfinite(value) or value < 0 or (kind is int and value != int(value)):
                raise BadField(name, "not a usable number")
            return kind(value)
        if kind is bool and isinstance(value, bool):
            return value
        if kind is str and isinstance(value, str):
            return value
        raise BadField(name, f"expected {kind.__name__}")
