"""The store of a large hospital: residents' resources are made from the archive when somebody first asks for them, and then kept.

Rows are numbered by the resident's place, whoever is asked for first: results come in the same order each time. A search that no index
narrows to a few residents is refused (`too-costly`), as a hospital's own server would.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.his.archive import Shelf, marks, prefixes
from simulators.his.moments import FOREVER
from simulators.his.outcomes import Json, refuse
from simulators.his.store import Clue, Store, Stored
from simulators.his.world import Resident
from simulators.server import SHANGHAI

ROWS_EACH = 10_000
MOST_RESIDENTS = 1_000
_NEIGHBOURS = 200
_OF_RESIDENTS = frozenset(
    "Patient AllergyIntolerance Encounter Condition DocumentReference MedicationRequest DiagnosticReport Observation".split()
)
_REFERENCES = frozenset({"patient", "subject", "encounter", "link"})
_DAY = timedelta(days=1)
_Rows = list[tuple[int, bytes]]
_Where = tuple[str, list[Any]]


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
        # What is made here can be made again: no read waits for the disk. A killed process loses nothing, a power cut may.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA cache_size=-65536")
        self._shelf = shelf
        self._resources = resources
        self._updated = updated
        self._most = most

    def close(self) -> None:
        super().close()
        self._shelf.close()

    def gather(self, kind: str, clues: Sequence[Clue], low: float, high: float) -> None:
        if kind not in _OF_RESIDENTS:
            return
        wheres = [where for one in clues if (where := _where(kind, one)) is not None]
        if (low, high) != (-FOREVER, FOREVER) and not any(one.name in _REFERENCES for one in clues):
            wheres.append(_between(kind, low, high))
        self._fetch(wheres)

    def get(self, kind: str, id: str) -> Stored | None:
        self._fetch_ids(kind, [id])
        return super().get(kind, id)

    def exists(self, kind: str, id: str) -> bool:
        self._fetch_ids(kind, [id])
        return super().exists(kind, id)

    def of_ids(self, kind: str, ids: Sequence[str]) -> _Rows:
        self._fetch_ids(kind, ids)
        return super().of_ids(kind, ids)

    def of_patients(self, kind: str, patients: Sequence[str]) -> _Rows:
        self._fetch_ids(kind, patients)
        return super().of_patients(kind, patients)

    def of_entries(self, kind: str, name: str, values: Sequence[str], *, starts_with: bool = False) -> _Rows:
        if (
            name == "identifier"
        ):  # of the others, `gather` has seen to it with whatever else narrows the search
            self.gather(kind, [Clue(name, tuple(values))], -FOREVER, FOREVER)
        return super().of_entries(kind, name, values, starts_with=starts_with)

    def another_patient_with(self, kind: str, patients: Sequence[str]) -> str | None:
        found = super().another_patient_with(kind, patients)
        if found is None and kind in _OF_RESIDENTS:
            self._fetch([("place <= ?", [min(_NEIGHBOURS, self._most)])])
            found = super().another_patient_with(kind, patients)
        return found

    def _fetch_ids(self, kind: str, ids: Sequence[str]) -> None:
        if kind in _OF_RESIDENTS and ids:
            self._fetch([_by_id(ids)])

    def _fetch(self, wheres: Sequence[_Where]) -> None:
        """Make what all of `wheres` fit, as far as it is not there yet."""
        text = " AND ".join(where for where, _ in wheres) or "TRUE"
        bound = [value for _, values in wheres for value in values]
        missing = self._db.execute(
            f"SELECT place, start, length FROM resident WHERE {text} "
            f"AND NOT EXISTS (SELECT 1 FROM resource WHERE row = place * {ROWS_EACH}) LIMIT ?",
            (*bound, self._most + 1),
        ).fetchall()
        if len(missing) > self._most:
            raise refuse(400, "too-costly", f"more than {self._most} patients may fit; narrow the search")
        if missing:
            with self.transaction():
                for place, start, length in missing:
                    resident = self._shelf.resident(start, length)
                    self.load(self._resources(resident), self._updated, place * ROWS_EACH)


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
