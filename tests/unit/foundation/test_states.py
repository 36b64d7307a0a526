from enum import StrEnum

import pytest

from foundation.errors import IllegalMove
from foundation.states import Machine, move


class Light(StrEnum):
    RED = "red"
    GREEN = "green"
    OFF = "off"


LABELS: dict[StrEnum, str] = {Light.RED: "红灯", Light.GREEN: "绿灯", Light.OFF: "熄灭"}
MOVES = [
    move(Light.RED, "go", Light.GREEN, "guard", event="light.green"),
    move(Light.GREEN, "stop", Light.RED, "guard", "system"),
    move(Light.RED, "fail", Light.OFF, "system"),
    move(Light.GREEN, "fail", Light.OFF, "system"),
]


def a_light() -> Machine:
    return Machine("light", Light.RED, MOVES, labels=LABELS)


def test_a_line_of_the_table_is_found_by_state_and_verb() -> None:
    line = a_light().find(Light.RED, "go")

    assert (line.target, set(line.roles), line.event) == (Light.GREEN, {"guard"}, "light.green")


def test_what_the_table_does_not_have_is_refused_in_the_words_of_the_state() -> None:
    with pytest.raises(IllegalMove, match="当前是“熄灭”，不能进行此操作") as refused:
        a_light().find(Light.OFF, "go")

    assert (refused.value.status, refused.value.code) == (409, "light_go_refused")


def test_a_state_that_a_verb_leads_to_counts_as_already_there() -> None:
    light = a_light()

    assert light.already(Light.GREEN, "go")
    assert not light.already(Light.RED, "go")
    assert not light.already(Light.OFF, "stop")


def test_sources_and_target_of_a_verb_are_read_from_the_table() -> None:
    light = a_light()

    assert light.sources("fail") == (Light.RED, Light.GREEN)
    assert light.target("fail") is Light.OFF


def test_a_verb_with_two_targets_has_no_one_target() -> None:
    moves = [move(Light.RED, "turn", Light.GREEN), move(Light.GREEN, "turn", Light.RED)]

    with pytest.raises(ValueError, match=r"light\.turn leads to"):
        Machine("light", Light.RED, moves, labels=LABELS).target("turn")


def test_a_state_that_nothing_leaves_is_final() -> None:
    assert [state for state in Light if a_light().final(state)] == [Light.OFF]


def test_two_lines_for_one_state_and_verb_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two lines"):
        Machine("light", Light.RED, [*MOVES, MOVES[0]], labels=LABELS)


def test_a_state_without_a_label_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no label"):
        Machine("light", Light.RED, MOVES, labels=dict(list(LABELS.items())[:1]))
