"""The invented bureau: what it splits, what it refuses, what it gives back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniapp_mock.wechat.med_ins.bureau_wire import Line
from miniapp_mock.wechat.med_ins.insured import Insured
from miniapp_mock.wechat.med_ins.split import split
from tests.unit.wechat_mock.insurance import LINES, TOTAL, Insurance, faults, moves_clock
from tests.unit.wechat_mock.merchant import Merchant


@pytest.fixture
def insurance(merchant: Merchant) -> Insurance:
    return Insurance(merchant)


lines = st.builds(
    lambda grade, quantity, unit: Line("c", "n", grade, quantity, unit, quantity * unit),
    st.sampled_from(["甲", "乙", "丙", ""]), st.integers(1, 99), st.integers(0, 99_999),
)  # fmt: skip
people = st.builds(
    Insured, openid=st.just("o"), name=st.just("林秀兰"), id_number=st.just("x"),
    kind=st.sampled_from(["employee", "resident"]), account_fen=st.integers(0, 10**7), subsidised=st.booleans(),
)  # fmt: skip


@given(st.lists(lines, min_size=1, max_size=8), people, st.integers(-5, 10**7))
def test_a_split_adds_up_and_no_part_is_negative(claim: list[Line], who: Insured, account: int) -> None:
    parts = split(claim, who, account)

    each = (parts.gov, parts.self_, parts.other, parts.cash)
    assert sum(each) == sum(line.amount for line in claim)
    assert min(each) >= 0
    assert parts.self_ <= max(account, 0)


def test_grade_b_and_what_the_catalogue_lacks_leave_something_to_pay(insurance: Insurance) -> None:
    claim = insurance.presettled()

    # 2000 + 90 % of 1005 = 2904 count; 70 % of it from the fund; 8 yuan are on the account.
    assert (claim["gov"], claim["self"], claim["other"], claim["cash"]) == (2032, 800, 0, TOTAL - 2832)
    assert (claim["state"], claim["settlement_id"]) == ("presettled", "")


def test_the_same_claim_twice_is_one_claim_and_another_under_its_number_is_refused(
    insurance: Insurance,
) -> None:
    body = insurance.claim(insurance.authorised())
    first, again = insurance.post("/settlements", body), insurance.post("/settlements", body)
    other = insurance.post("/settlements", body | {"kind": "follow_up"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json() == again.json()
    assert other.json()["code"] == "SERIAL_NO_USED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"total": TOTAL - 1}, "TOTAL"),
        ({"lines": [LINES[0] | {"amount": 2001}], "total": 2001}, "LINE"),
        ({"pay_auth_no": "AUTH-of-nobody"}, "NOT_AUTHORISED"),
    ],
)
def test_a_claim_that_is_wrong_is_refused(
    insurance: Insurance, changes: dict[str, object], code: str
) -> None:
    answer = insurance.post("/settlements", insurance.claim(insurance.authorised()) | changes)

    assert answer.status_code in (403, 422)
    assert answer.json()["code"] == code


def test_a_malformed_claim_names_its_field(insurance: Insurance) -> None:
    body = insurance.claim("AUTH1", lines=[LINES[0] | {"grade": "丁"}])

    answer = insurance.post("/settlements", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert "grade" in answer.json()["field"]


def test_only_the_hospital_s_signature_opens_the_bureau(insurance: Insurance) -> None:
    claim = insurance.presettled()
    path = f"/settlements/{claim['pay_order_id']}"

    assert insurance.bureau("GET", path, b"", **{"X-Signature": "0" * 64}).json() == {"code": "BAD_SIGNATURE"}
    assert insurance.bureau("GET", path, b"", **{"X-Timestamp": "1"}).json() == {"code": "STALE"}
    assert insurance.bureau("GET", path, b"", **{"X-App-Key": "other"}).status_code == 401


def test_an_authorisation_lasts_ten_minutes(insurance: Insurance) -> None:
    number = insurance.authorised()
    moves_clock(insurance, 601)

    answer = insurance.post("/settlements", insurance.claim(number))

    assert answer.json()["code"] == "NOT_AUTHORISED"


def test_a_code_of_the_authorisation_page_is_good_once_and_for_its_owner(insurance: Insurance) -> None:
    code = insurance.code()

    assert insurance.user_query(code, "o-other")["code"] == 10001
    first = insurance.user_query(code)
    assert (first["code"], first["user_name"]) == (0, "林秀兰")
    assert insurance.user_query(code)["code"] == 10002


def test_a_user_query_with_a_wrong_signature_learns_nothing(insurance: Insurance) -> None:
    answer = insurance.user_query(insurance.code(), **{"god-portal-signature": "0" * 64})

    assert answer["status"] == 401
    assert "user_name" not in answer


def test_who_is_not_bound_cannot_authorise(insurance: Insurance) -> None:
    answer = insurance.merchant.http.post(f"{insurance.merchant.base}/phone/o-crowd/med-ins-auth").json()

    assert answer["retCode"] == "-1"


def test_a_bureau_that_is_down_says_nothing(insurance: Insurance) -> None:
    code, claim = insurance.code(), insurance.presettled()
    faults(insurance, insurance_down=True)

    assert insurance.user_query(code)["status"] == 503
    assert insurance.get(f"/settlements/{claim['pay_order_id']}").status_code == 503


def test_what_was_revoked_cannot_be_settled_and_revoking_twice_changes_nothing(insurance: Insurance) -> None:
    order = insurance.placed()
    path = f"/settlements/{order['pay_order_id']}"

    assert insurance.post(f"{path}/revoke", {}).json()["state"] == "revoked"
    assert insurance.post(f"{path}/revoke", {}).status_code == 200
    assert "已撤销" in insurance.pays(order)
    assert insurance.states(order) == ("MIX_PAY_FAIL", "SELF_PAY_SUCCESS", "MED_INS_PAY_FAIL")


def test_parts_go_back_until_nothing_is_left_and_the_account_has_its_money_again(
    insurance: Insurance,
) -> None:
    order = insurance.paid()
    path = f"/settlements/{order['pay_order_id']}/refunds"
    part = {"refund_no": "REFUND-1", "gov": 1000, "self": 800, "other": 0}

    first, again = insurance.post(path, part), insurance.post(path, part)
    too_much = insurance.post(path, part | {"refund_no": "REFUND-2"})
    changed = insurance.post(path, part | {"gov": 999})

    assert (first.json()["state"], first.json()["refund_id"]) == ("succeeded", again.json()["refund_id"])
    assert (too_much.json()["code"], changed.json()["code"]) == ("TOO_MUCH", "REFUND_NO_USED")
    assert insurance.presettled()["self"] == 800


def test_an_unsettled_claim_has_nothing_to_give_back(insurance: Insurance) -> None:
    claim = insurance.presettled()
    part = {"refund_no": "REFUND-1", "gov": 1, "self": 0, "other": 0}

    answer = insurance.post(f"/settlements/{claim['pay_order_id']}/refunds", part)

    assert answer.json()["code"] == "NOT_SETTLED"


def test_a_refund_that_takes_its_time_is_asked_for_again(insurance: Insurance) -> None:
    order = insurance.paid()
    faults(insurance, insurance_refund_seconds=60)
    path = f"/settlements/{order['pay_order_id']}/refunds"
    part = {"refund_no": "REFUND-1", "gov": 1000, "self": 0, "other": 0}

    assert insurance.post(path, part).json()["state"] == "processing"
    moves_clock(insurance, 61)
    assert insurance.get(f"{path}/REFUND-1").json()["state"] == "succeeded"


def test_words_of_a_refusal_reach_the_hospital(insurance: Insurance) -> None:
    number = insurance.authorised()
    faults(insurance, insurance_refuses="参保状态异常")

    answer = insurance.post("/settlements", insurance.claim(number))

    assert (answer.status_code, answer.json()["message"]) == (422, "参保状态异常")
