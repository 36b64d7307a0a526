"""The store of a large hospital: residents' resources are made from the archive whenever somebody asks for them.

The same resources each time, in rows numbered by the resident's place. Only what was written is in the tables; a resident of whom something
was replaced is there with everything. A search that no index narrows to a few residents is refused (`too-costly`), as a hospital's own
server would.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from simulators.his.archive import Shelf, marks, prefixes, wanted_soon
from simulators.his.elements import index_entries, patient_of
from simulators.his.moments import FOREVER
from simulators.his.outcomes import Json, refuse
from simulators.his.store import Clue, Store, Stored, encoded
from simulators.his.world import Resident
from simulators.server import SHANGHAI

ROWS_EACH = 10_000
MOST_RESIDENTS = 1_000
REMEMBERED = 5_000
_NEIGHBOURS = 200
_OF_RESIDENTS = frozenset(
    "Patient AllergyIntolerance Encounter Condition DocumentReference MedicationRequest DiagnosticReport Observation".split()
)
_REFERENCES = frozenset({"patient", "subject", "encounter", "link"})
_DAY = timedelta(days=1)
_Rows = list[tuple[int, bytes]]
_Where = tuple[str, list[Any]]
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class _Made(NamedTuple):
    """One resource of a resident."""

    row: int
    kind: str
    id: str
    patient: str
    body: bytes


class LargeStore(Store):
    """`resources` makes everything of one resident, the patient first; `updated` is written into all of it."""

    def __init__(
        self,
        path: Path,
        shelf: Shelf,
        resources: Callable[[Resident], Iterable[Json]],
        updated: str,
        most: int = MOST_RESIDENTS,
    ) -> None:
        super().__init__(path)
        with path.open("rb") as file:
            wanted_soon(file.fileno())
        self._shelf = shelf
        self._resources = resources
        self._updated = updated
        self._most = most
        self._remembered: OrderedDict[int, list[_Made]] = OrderedDict()
        count = self._db.execute("SELECT count(*) FROM resident").fetchone()[0]
        self._end = (count + 1) * ROWS_EACH

    def close(self) -> None:
        super().close()
        self._shelf.close()

    # reading

    def gather(self, kind: str, clues: Sequence[Clue], low: float, high: float) -> _Rows:
        if kind not in _OF_RESIDENTS:
            return []
        wheres = [where for one in clues if (where := _where(kind, one)) is not None]
        if (low, high) != (-FOREVER, FOREVER) and not any(one.name in _REFERENCES for one in clues):
            wheres.append(_between(kind, low, high))
        return [(one.row, one.body) for one in self._fitting(kind, wheres)]

    def get(self, kind: str, id: str) -> Stored | None:
        if (stored := super().get(kind, id)) is not None:
            return stored
        made = self._with_ids(kind, [id])
        return _stored(made[0]) if made else None

    def by_row(self, row: int) -> Stored:
        return super().by_row(row) if (made := self._in_row(row)) is None else _stored(made)

    def exists(self, kind: str, id: str) -> bool:
        return super().exists(kind, id) or bool(self._with_ids(kind, [id]))

    def knows(self, kind: str, identifier: str) -> bool:
        if super().knows(kind, identifier):
            return True
        made = self._fitting(kind, [_where(kind, Clue("identifier", (identifier,)))])
        return any(("identifier", identifier) in index_entries(_decode(one.body)) for one in made)

    def bodies(self, rows: Sequence[int]) -> dict[int, bytes]:
        made = {row: one.body for row in rows if (one := self._in_row(row)) is not None}
        return made | super().bodies([row for row in rows if row not in made])

    def of_ids(self, kind: str, ids: Sequence[str]) -> _Rows:
        made = [(one.row, one.body) for one in self._with_ids(kind, ids)]
        return sorted(made + super().of_ids(kind, ids))

    def of_patients(self, kind: str, patients: Sequence[str]) -> _Rows:
        stored = super().of_patients(kind, patients)
        if not patients:
            return stored
        made = [
            (one.row, one.body) for one in self._fitting(kind, [_by_id(patients)]) if one.patient in patients
        ]
        return sorted(made + stored)

    def another_patient_with(self, kind: str, patients: Sequence[str]) -> str | None:
        neighbours = min(_NEIGHBOURS, self._most)
        made = self._fitting(kind, [("place <= ?", [neighbours])])
        others = (one.patient for one in made if one.patient not in patients)
        return next(others, None) or super().another_patient_with(kind, patients)

    # writing

    def replace(self, before: Stored, resource: Json, updated: str, *, own: bool = False) -> Stored:
        with self.transaction():
            if self._in_row(before.row) is not None:
                place = before.row // ROWS_EACH
                self.load(self._of_place(place), self._updated, place * ROWS_EACH)
            return super().replace(before, resource, updated, own=own)

    # making

    def _fitting(self, kind: str, wheres: Sequence[_Where | None]) -> list[_Made]:
        """Resources of whoever fits all of `wheres` and is not in the tables, by row."""
        if kind not in _OF_RESIDENTS:
            return []
        known = [where for where in wheres if where is not None]
        text = " AND ".join(where for where, _ in known) or "TRUE"
        bound = [value for _, values in known for value in values]
        places = self._db.execute(
            f"SELECT place FROM resident WHERE {text} LIMIT ?", (*bound, self._most + 1)
        ).fetchall()
        if len(places) > self._most:
            raise refuse(400, "too-costly", f"more than {self._most} patients may fit; narrow the search")
        return [one for (place,) in sorted(places) for one in self._made(place) if one.kind == kind]

    def _with_ids(self, kind: str, ids: Sequence[str]) -> list[_Made]:
        return [one for one in self._fitting(kind, [_by_id(ids)]) if one.id in ids] if ids else []

    def _in_row(self, row: int) -> _Made | None:
        """What stands there unless the tables have it."""
        if row >= self._end:
            return None
        made = self._made(row // ROWS_EACH)
        return made[row % ROWS_EACH] if made else None

    def _made(self, place: int) -> list[_Made]:
        """Everything of one resident; nothing when it is in the tables."""
        first = place * ROWS_EACH
        if self._db.execute("SELECT 1 FROM resource WHERE row = ?", (first,)).fetchone():
            return []
        if (known := self._remembered.get(place)) is not None:
            self._remembered.move_to_end(place)
            return known
        made = [
            _Made(row, one["resourceType"], one["id"], patient_of(one), encoded(one, 1, self._updated))
            for row, one in enumerate(self._of_place(place), first)
        ]
        self._remembered[place] = made
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return made

    def _of_place(self, place: int) -> Iterable[Json]:
        found = self._db.execute("SELECT start, length FROM resident WHERE place = ?", (place,)).fetchone()
        return self._resources(self._shelf.resident(*found))


def _stored(made: _Made) -> Stored:
    return Stored(made.row, 1, True, made.body)


def _where(kind: str, clue: Clue) -> _Where | None:
    """Whom one criterion can mean; None when the index cannot say."""
    name, values = clue.name, list(clue.values)
    if name in _REFERENCES:
        return _by_id([value.rpartition("/")[2] for value in values])
    if name == "_id" or (name == "identifier" and kind != "Patient"):
        return _by_id(values)
    match name:
        case "identifier":
            where, bound = _by_id(values)
            return f"({where} OR card IN ({marks(values)}))", [*bound, *values]
        case "name":
            one = "(name >= ? AND name < ?) OR (given >= ? AND given < ?)"
            lows = [value.lower() for value in values]
            return (
                f"({' OR '.join(one for _ in lows)})",
                [text for low in lows for text in (low, low + "\U0010ffff") * 2],
            )
        case "phone" | "birthdate":
            return f"{'phone' if name == 'phone' else 'birth'} IN ({marks(values)})", values
    return None


def _by_id(ids: Sequence[str]) -> _Where:
    numbers = [number for one in ids for number in prefixes(one)]
    return f"place IN (SELECT place FROM paper WHERE id IN ({marks(numbers)}))", numbers


def _between(kind: str, low: float, high: float) -> _Where:
    """Born, or seen, between two moments; a day more on either side, the criterion itself is exact."""
    first, last = _day(low, -_DAY, "0000"), _day(high, _DAY, "9999")
    if kind == "Patient":
        return "birth >= ? AND birth <= ?", [first, last]
    return "place IN (SELECT place FROM visit_days WHERE low <= ? AND high >= ?)", [last, first]


def _day(moment: float, more: timedelta, beyond: str) -> str:
    try:
        return (datetime.fromtimestamp(moment, SHANGHAI) + more).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return beyond
