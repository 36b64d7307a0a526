"""Whatever a record holds, the platform answers with a code."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.supervision_platform import tianjin_records
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital
from tests.unit.supervision_platform.test_shanghai import EVENTS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40)
    | st.sampled_from(["2026-11-22 09:00:00", "9999-12-31T23:59:59-12:00", "03.10", "1", "I10|", "０１", "1e400"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
TRY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def change(data: st.DataObject, record: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(record)
    for name in data.draw(st.lists(st.sampled_from(sorted(changed)), min_size=1, max_size=2)):
        changed[name] = data.draw(VALUES)
    if isinstance(items := changed.get("orderList"), list) and items and isinstance(items[0], dict):
        items[0][data.draw(st.sampled_from(sorted(items[0]) or ["x"]))] = data.draw(VALUES)
    return changed


@TRY
@given(st.data())
def test_any_tianjin_record_gets_an_inner_code(platform: Platform, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(sorted(tianjin_records.ALL)))

    code, _ = platform.result(method, [change(data, tianjin_records.ALL[method]())])

    assert code in (200, -1, -99)


@TRY
@given(st.data())
def test_any_shanghai_record_gets_an_inner_code(shanghai: Platform, data: st.DataObject) -> None:
    method, make = EVENTS[data.draw(st.sampled_from(sorted(EVENTS)))]
    hospital = Hospital(number=data.draw(st.integers(0, 10**6)))

    code, _ = shanghai.result(method, [change(data, make(hospital))])

    assert code in (200, -1, -99)


def test_an_empty_list_where_a_time_may_be_missing_is_no_time(platform: Platform) -> None:
    record = {**tianjin_records.ALL["uploadReferralIndicators"](), "endDate": []}

    code, _ = platform.result("uploadReferralIndicators", [record])

    assert code in (200, -1, -99)
