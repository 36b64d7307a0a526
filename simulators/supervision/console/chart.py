"""A line chart as SVG elements: numbers become coordinates here, colours live in the style sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    name: str
    points: str
    css: str


@dataclass(frozen=True)
class Tick:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """`width` and `height` are the view box; text keeps its size because the box is drawn in its own pixels."""

    width: int
    height: int
    left: float
    right: float
    bottom: float
    lines: list[Line]
    across: list[Tick]
    along: list[Tick]


LEFT, RIGHT, TOP, BOTTOM = 44, 12, 16, 32


def line_chart(
    series: Mapping[str, Sequence[int]], labels: Sequence[str], *, width: int, height: int, every: int
) -> Chart:
    """`labels` name the positions; every `every`-th is written."""
    top = _round_up(max((value for values in series.values() for value in values), default=0))
    step = (width - LEFT - RIGHT) / max(len(labels) - 1, 1)
    rise = (height - TOP - BOTTOM) / top
    floor = height - BOTTOM
    lines = [
        Line(
            name,
            " ".join(
                f"{LEFT + index * step:.1f},{floor - value * rise:.1f}" for index, value in enumerate(values)
            ),
            f"series-{number}",
        )
        for number, (name, values) in enumerate(series.items())
    ]
    across = [Tick(LEFT, floor - value * rise, str(value)) for value in (0, top // 2, top)]
    along = [Tick(LEFT + i * step, height - 8, text) for i, text in enumerate(labels) if i % every == 0]
    return Chart(width, height, LEFT, width - RIGHT, floor, lines, across, along)


def _round_up(value: int) -> int:
    """An even axis end: 4, 10, 20, 50, 100 …"""
    end = 4
    for factor in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000):
        if end >= value:
            return end
        end = factor
    return max(end, value + value % 2)
