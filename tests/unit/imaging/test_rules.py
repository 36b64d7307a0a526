"""The way through a study, and what things are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.imaging.rules import (
    WINDOW_NAMES,
    WINDOWS,
    Extent,
    Place,
    after,
    before,
    is_private,
    modality_name,
)

COUNT = st.integers(1, 6)


@given(st.lists(st.lists(COUNT, min_size=1, max_size=4), min_size=1, max_size=4))
def test_going_on_shows_every_picture_once_and_ends(study: list[list[int]]) -> None:
    """`study`: frames of each instance of each series."""
    at: Place | None = Place(1, 1, 1)
    seen = []
    while at is not None:
        assert at not in seen
        seen.append(at)
        instances = study[at.series - 1]
        at = after(at, Extent(len(study), len(instances), instances[at.instance - 1]))

    assert len(seen) == sum(sum(instances) for instances in study)


@given(COUNT, COUNT, COUNT)
def test_going_back_always_ends_at_the_first(series: int, instance: int, frame: int) -> None:
    at: Place | None = Place(series, instance, frame)
    last, steps = at, 0
    while at is not None:
        last, at, steps = at, before(at), steps + 1
        assert steps < 20

    assert last == Place(1, 1, 1)


def test_modalities_have_names_and_unknown_ones_keep_their_code() -> None:
    assert modality_name("CT/SR") == "CT、SR"
    assert modality_name("DX/CR") == "X线摄影"
    assert modality_name("") == ""


def test_every_window_has_a_name() -> None:
    assert WINDOWS.keys() == WINDOW_NAMES.keys()


@pytest.mark.parametrize(
    ("modality", "descriptions", "private"),
    [
        ("CT", ("胸部CT平扫", "肺窗"), False), ("US", ("甲状腺超声",), False), ("MR", ("盆腔MRI",), True),
        ("MR", ("腹部", "Pelvis T2"), True), ("MG", ("常规",), True), ("MG/SR", ("常规",), True), ("DX", ("", " "), True),
        ("US", ("早孕检查",), True),
    ],
)  # fmt: skip
def test_a_picture_is_private_by_what_it_is_called_or_when_it_is_not_called_anything(
    modality: str, descriptions: tuple[str, ...], private: bool
) -> None:
    assert is_private(modality, *descriptions) is private
