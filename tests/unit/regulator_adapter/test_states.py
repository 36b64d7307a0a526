import pytest

from foundation.errors import IllegalMove
from regulator_adapter.days.states import STATEMENT, DayState
from regulator_adapter.states import MACHINE, SubmissionState

VERBS = ("map", "submit", "accept", "reject", "park", "resubmit", "replay")
ALLOWED = {
    ("received", "map"): ("mapped", "system"),
    ("received", "park"): ("parked", "system"),
    ("mapped", "submit"): ("submitted", "system"),
    ("mapped", "park"): ("parked", "system"),
    ("submitted", "accept"): ("accepted", "system"),
    ("submitted", "reject"): ("rejected", "system"),
    ("submitted", "park"): ("parked", "system"),
    ("rejected", "resubmit"): ("received", "operator"),
    ("parked", "resubmit"): ("received", "operator"),
    ("accepted", "replay"): ("received", "system"),
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


def test_what_was_accepted_leaves_only_when_the_platform_has_lost_it() -> None:
    assert [line.verb for line in MACHINE.moves if line.source is SubmissionState.ACCEPTED] == ["replay"]


@pytest.mark.parametrize(
    ("state", "verb", "target"),
    [
        ("open", "differ", "differing"), ("open", "exchange", "exchanged"), ("exchanged", "differ", "differing"),
        ("exchanged", "close", "closed"), ("differing", "exchange", "exchanged"),
    ],
)  # fmt: skip
def test_a_day_is_exchanged_before_it_closes(state: str, verb: str, target: str) -> None:
    assert STATEMENT.find(DayState(state), verb).target.value == target


def test_a_closed_day_stays_closed() -> None:
    assert STATEMENT.final(DayState.CLOSED)
    assert [line.source for line in STATEMENT.moves if line.verb == "close"] == [DayState.EXCHANGED]
