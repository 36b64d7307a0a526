"""Whatever waits, what is chosen of a lane is its beginning, in one list and in order."""

from dataclasses import dataclass
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from regulator_adapter import profiles
from regulator_adapter.claims import choose

SHANGHAI = profiles.profile("shanghai")
METHODS = ("uploadPrescription", "uploadRealName")


@dataclass(frozen=True)
class Row:
    id: UUID
    method: str
    lane: str
    alone: bool


@st.composite
def waiting(draw: st.DrawFn) -> list[Row]:
    """Candidates as the query gives them: rows of one lane that may go together are of one method."""
    rows = draw(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans()), max_size=12))
    method = {lane: draw(st.sampled_from(METHODS)) for lane in ("", "a", "b", "c")}
    return [Row(UUID(int=at), method[lane], lane, alone) for at, (lane, alone) in enumerate(rows)]


def rows(*told: tuple[str, bool]) -> list[Row]:
    return [Row(UUID(int=at), METHODS[0], lane, alone) for at, (lane, alone) in enumerate(told)]


@given(candidates=waiting(), room=st.integers(1, 4))
@example(candidates=rows(("a", False), ("b", True), ("b", False)), room=1)
@example(candidates=rows(("a", False), ("a", True), ("a", False)), room=4)
def test_a_lane_goes_in_its_order(candidates: list[Row], room: int) -> None:
    lists = choose(SHANGHAI, candidates, room)

    by_id = {row.id: row for row in candidates}
    assert len(lists) <= room
    for lane in ("a", "b", "c"):
        chosen = [(at, one) for at, several in enumerate(lists) for one in several if by_id[one].lane == lane]
        assert len({at for at, _ in chosen}) <= 1
        assert [one for _, one in chosen] == [row.id for row in candidates if row.lane == lane][: len(chosen)]
    for several in lists:
        assert len({by_id[one].method for one in several}) == 1
        assert len(several) == 1 or not any(by_id[one].alone for one in several)
