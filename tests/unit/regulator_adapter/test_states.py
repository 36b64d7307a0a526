import pytest

from foundation.errors import IllegalMove
from regulator_adapter.states import MACHINE, SubmissionState

VERBS = ("map", "submit", "accept", "reject", "park", "resubmit")
ALLOWED = {
    ("received", "map"): ("mapped", "system"),
    ("received", "park"): ("parked", "system"),
    ("mapped", "submit"): ("submitted", "system"),
    ("submitted", "accept"): ("accepted", "system"),
    ("submitted", "reject"): ("rejected", "system"),
    ("submitted", "park"): ("parked", "system"),
    ("rejected", "resubmit"): ("received", "operator"),
    ("parked", "resubmit"): ("received", "operator"),
}


@pytest.mark.parametrize("state", SubmissionState)
@pytest.mark.parametrize("verb", VERBS)
def test_every_cell_of_the_table(state: SubmissionState, verb: str) -> None:
    expected = ALLOWED.get((state.value, verb))
    if expected is None:
        with pytest.raises(IllegalMove):
            MACHINE.find(state, verb)
        return

    line = MACHINE.find(state, verb)

    assert (line.target.value, line.roles) == (expected[0], frozenset({expected[1]}))


def test_the_table_has_no_other_verbs() -> None:
    assert {line.verb for line in MACHINE.moves} == set(VERBS)


def test_only_acceptance_is_the_end() -> None:
    assert [state for state in SubmissionState if MACHINE.final(state)] == [SubmissionState.ACCEPTED]
