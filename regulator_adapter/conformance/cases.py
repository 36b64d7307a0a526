"""The cases by number. Numbers are never given to another case: reports are compared over years."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from regulator_adapter.conformance import content_cases as content
from regulator_adapter.conformance import envelope_cases as envelope
from regulator_adapter.conformance import weather_cases as weather
from regulator_adapter.conformance.kit import Differs, Kit, NotTried

Run = Callable[[Kit], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """One case; what it demands is the first line of its function's docstring."""

    number: int
    area: str
    run: Run

    @property
    def demands(self) -> str:
        """In one sentence."""
        return (self.run.__doc__ or "").strip().splitlines()[0]


class Outcome(StrEnum):
    """Of one case."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"


class Verdict(msgspec.Struct, frozen=True):
    """What came of a case; `told` says what differed, or why it was not tried."""

    number: int
    area: str
    demands: str
    outcome: Outcome
    told: str = ""


CASES: tuple[Case, ...] = (
    Case(1, "records", content.every_record),
    Case(2, "padding", envelope.whole_blocks),
    Case(3, "padding", envelope.other_padding),
    Case(4, "padding", envelope.no_padding),
    Case(5, "encryption", envelope.another_key),
    Case(6, "encryption", envelope.upper_case),
    Case(7, "encryption", envelope.not_hex),
    Case(8, "encryption", envelope.no_array),
    Case(9, "signature", envelope.wrong_digest),
    Case(10, "signature", envelope.wrong_signature),
    Case(11, "signature", envelope.changed_header),
    Case(12, "rights", envelope.unknown_key),
    Case(13, "rights", envelope.missing_header),
    Case(14, "rights", envelope.unknown_method),
    Case(15, "rights", envelope.unlisted_address),
    Case(16, "freshness", envelope.too_old),
    Case(17, "freshness", envelope.too_new),
    Case(18, "freshness", envelope.same_nonce),
    Case(19, "mandatory", content.all_missing),
    Case(20, "mandatory", content.one_missing),
    Case(21, "mandatory", content.blank_is_missing),
    Case(22, "mandatory", content.guardian_of_a_small_child),
    Case(23, "values", content.unknown_code),
    Case(24, "values", content.too_long),
    Case(25, "values", content.wrong_time),
    Case(26, "values", content.wrong_certificate),
    Case(27, "values", content.another_hospital),
    Case(28, "lists", content.empty_list),
    Case(29, "lists", content.first_error),
    Case(30, "repetition", content.sent_twice),
    Case(31, "order", content.needs_come_first),
    Case(32, "weather", weather.outage),
    Case(33, "weather", weather.busy),
    Case(34, "weather", weather.frozen),
    Case(35, "weather", weather.lost_answer),
    Case(36, "quota", weather.quota),
)


async def run(kit: Kit, only: frozenset[int] = frozenset()) -> list[Verdict]:
    """All cases, or those with these numbers, in order; each against the same receiver."""
    verdicts = []
    async with kit.opened():
        for case in CASES:
            if not only or case.number in only:
                verdicts.append(await _one(kit, case))
    return verdicts


async def _one(kit: Kit, case: Case) -> Verdict:
    try:
        await case.run(kit)
    except Differs as found:
        return Verdict(case.number, case.area, case.demands, Outcome.FAILED, str(found))
    except NotTried as reason:
        return Verdict(case.number, case.area, case.demands, Outcome.NOT_TRIED, str(reason))
    return Verdict(case.number, case.area, case.demands, Outcome.PASSED)
