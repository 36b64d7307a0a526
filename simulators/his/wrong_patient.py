"""The fault `wrong_patient`: a hospital whose index is mixed up answers with somebody else's resources."""

from simulators.his.elements import patient_of
from simulators.his.query import Query
from simulators.his.search import patients_asked
from simulators.his.store import Store, Stored


def somebody_elses(store: Store, query: Query, rows: list[int]) -> list[int]:
    """What was found, replaced by the like of another patient; what belongs to nobody stays as it is."""
    patients = {patient_of(store.by_row(row).resource()) for row in rows} | set(patients_asked(query))
    other = store.another_patient_with(query.kind, sorted(patients - {""})) if patients - {""} else None
    if other is None:
        return rows
    return [row for row, _ in store.of_patients(query.kind, [other])]


def somebody_elses_resource(store: Store, kind: str, stored: Stored) -> Stored:
    """Another patient's resource of the same type, as if the id had led there."""
    patient = patient_of(stored.resource())
    other = store.another_patient_with(kind, [patient]) if patient else None
    if other is None:
        return stored
    row, _ = store.of_patients(kind, [other])[0]
    return store.by_row(row)
