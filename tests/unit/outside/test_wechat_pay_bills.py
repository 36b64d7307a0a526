"""Bills of WeChat Pay: what the parser makes of every shape of the documented file, and what it refuses."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.outside.wechat_pay_bills import (
    BillUnreadable,
    Mismatch,
    fen,
    read_fund_flow_bill,
    read_trade_bill,
    thousandths,
)
from foundation.clock import LOCAL

DAY = date(2026, 11, 20)
HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
SUMMARY = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FLOW = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,"
    "业务凭证号"
)
FLOW_SUMMARY = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


def yuan(value: int, places: int = 2) -> str:
    """An amount in its smallest unit as a bill writes it."""
    unit = 10**places
    return f"{'-' if value < 0 else ''}{abs(value) // unit}.{abs(value) % unit:0{places}d}"


def line(*fields: str) -> str:
    return ",".join(f"`{field}" for field in fields)


def paid(
    name: str = "诊查费", amount: int = 3000, number: str = "IH1", at: str = "2026-11-20 09:10:00"
) -> str:
    return line(
        at, "wx1", "1900000001", "0", "", f"42{number}", number, "o-1", "JSAPI", "SUCCESS", "OTHERS", "CNY", yuan(amount),
        "0.00", "0", "0", "0.00", "0.00", "", "", name, "", yuan(amount * 6, 5), "0.60%", yuan(amount), "0.00", "",
    )  # fmt: skip


def returned(amount: int = 1000, number: str = "IH1") -> str:
    return line(
        "2026-11-20 10:00:00", "wx1", "1900000001", "0", "", f"42{number}", number, "o-1", "JSAPI", "REFUND", "OTHERS",
        "CNY", "0.00", "0.00", "50RF", "RF1", yuan(amount), "0.00", "ORIGINAL", "SUCCESS", "诊查费", "",
        yuan(-amount * 6, 5), "0.60%", "0.00", yuan(amount), "",
    )  # fmt: skip


def totals(count: int, came: int, back: int = 0) -> str:
    return line(
        str(count), yuan(came), yuan(back), "0.00", yuan((came - back) * 6, 5), yuan(came), yuan(back)
    )


def file(*lines: str, bom: bool = True, ends: str = "\r\n") -> bytes:
    return (("\ufeff" if bom else "") + "".join(one + ends for one in lines)).encode()


def bill(*rows: str, summary: str, **shape: object) -> bytes:
    return file(HEADER, *rows, SUMMARY, summary, **shape)  # type: ignore[arg-type]


@pytest.mark.parametrize("bom", [True, False])
@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_rows_come_with_their_amounts_in_fen_and_their_moment(bom: bool, ends: str) -> None:
    content = bill(paid(), returned(), summary=totals(2, 3000, 1000), bom=bom, ends=ends)

    read = read_trade_bill(DAY, content, "abc")

    first, second = read.rows
    assert (first.total, first.settled, first.refund, first.fee) == (3000, 3000, 0, 18_000)
    assert first.at == datetime(2026, 11, 20, 9, 10, tzinfo=LOCAL)
    assert (first.refund_id, first.out_refund_no) == ("", "")
    assert (second.total, second.refund, second.refund_id, second.fee) == (0, 1000, "50RF", -6_000)
    assert (read.mismatches, read.sha1, read.exists) == ((), "abc", True)


@pytest.mark.parametrize(
    "name", ["诊查费,含挂号", "a,`b", ",`", "`", "\"引号\", '单'", "末尾,", "名,`,`,`字"]
)
def test_a_name_may_hold_commas_and_backticks(name: str) -> None:
    read = read_trade_bill(DAY, bill(paid(name), paid(number="IH2"), summary=totals(2, 6000)))

    assert [row.description for row in read.rows] == [name, "诊查费"]
    assert [row.total for row in read.rows] == [3000, 3000]


def test_a_name_torn_by_a_line_break_is_put_together() -> None:
    read = read_trade_bill(DAY, bill(paid("诊查费\n第二行"), paid(number="IH2"), summary=totals(2, 6000)))

    assert read.rows[0].description == "诊查费 第二行"
    assert len(read.rows) == 2


def test_a_column_that_nobody_knew_does_no_harm() -> None:
    content = file(f"{HEADER},新列", paid() + ",`x", f"{SUMMARY},新总计", totals(1, 3000) + ",`9.99")

    assert read_trade_bill(DAY, content).rows[0].total == 3000


def test_a_day_of_refunds_only_adds_up() -> None:
    read = read_trade_bill(DAY, bill(returned(), summary=totals(1, 0, 1000)))

    assert (len(read.payments), len(read.refunds), read.mismatches) == (0, 1, ())


@pytest.mark.parametrize(
    ("summary", "what"),
    [
        (totals(2, 3000), {"总交易单数": (2, 1)}),
        (totals(1, 3001), {"应结订单总金额": (3001, 3000), "订单总金额": (3001, 3000), "手续费总金额": (18_006, 18_000)}),
        (line("1", "30.00", "0.00", "0.00", "0.18001", "30.00", "0.00"), {"手续费总金额": (18_001, 18_000)}),
        (line("1", "30.00", "0.00", "0.00", "0.18000", "30.00", "0.01"), {"申请退款总金额": (1, 0)}),
    ],
)  # fmt: skip
def test_rows_that_contradict_the_summary_are_told_and_not_hidden(
    summary: str, what: dict[str, tuple[int, int]]
) -> None:
    read = read_trade_bill(DAY, bill(paid(), summary=summary))

    assert read.mismatches == tuple(
        Mismatch(name, said, counted)
        for name, (said, counted) in sorted(what.items(), key=lambda one: SUMMARY_ORDER.index(one[0]))
    )
    assert read.rows[0].total == 3000


SUMMARY_ORDER = SUMMARY.split(",")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        file(HEADER),
        file(HEADER, paid()),
        file(HEADER, paid(), SUMMARY),
        file(paid(), SUMMARY, totals(1, 3000)),
        file(HEADER, paid(), SUMMARY, totals(1, 3000), totals(1, 3000)),
        file(HEADER, HEADER, paid(), SUMMARY, totals(1, 3000)),
        bill(paid().replace("30.00", "30.001"), summary=totals(1, 3000)),
        bill(paid().replace("30.00", "３０.00"), summary=totals(1, 3000)),
        bill(paid().replace("30.00", "1e3"), summary=totals(1, 3000)),
        bill(paid().replace("30.00", ""), summary=totals(1, 3000)),
        bill(paid(at="2026-11-20"), summary=totals(1, 3000)),
        bill(paid().removesuffix(",`"), summary=totals(1, 3000)),
        bill(paid(), summary=totals(1, 3000).replace("`1", "`one", 1)),
        file(HEADER.replace("商户订单号", "订单"), paid(), SUMMARY, totals(1, 3000)),
        b'{"code":"SYSTEM_ERROR"}',
        b"<html></html>",
    ],
)
def test_what_is_no_bill_is_refused_whole(content: bytes) -> None:
    with pytest.raises(BillUnreadable):
        read_trade_bill(DAY, content)


@given(st.binary(max_size=300))
def test_no_bytes_whatever_are_an_error_of_ours(content: bytes) -> None:
    for read in (read_trade_bill, read_fund_flow_bill):
        try:
            read(DAY, content)
        except BillUnreadable:
            continue


@given(st.text(max_size=300))
def test_no_text_whatever_is_an_error_of_ours(text: str) -> None:
    try:
        read_trade_bill(DAY, file(HEADER, f"`{text}", SUMMARY, totals(1, 3000)))
    except BillUnreadable:
        return


NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\u2028\u2029"), max_size=30
)


@given(st.lists(st.tuples(NAMES, st.integers(1, 10**9)), min_size=1, max_size=20))
def test_whatever_was_sold_comes_out_as_it_went_in(sold: list[tuple[str, int]]) -> None:
    start = datetime(2026, 11, 20, tzinfo=LOCAL)
    rows = [
        paid(name, amount, f"IH{n}", f"{start + timedelta(minutes=n):%Y-%m-%d %H:%M:%S}")
        for n, (name, amount) in enumerate(sold)
    ]

    read = read_trade_bill(DAY, bill(*rows, summary=totals(len(sold), sum(amount for _, amount in sold))))

    assert [(row.description, row.total) for row in read.rows] == sold
    assert [row.at for row in read.rows] == [start + timedelta(minutes=n) for n in range(len(sold))]
    assert read.mismatches == ()


@given(st.integers(-(10**12), 10**12))
def test_yuan_and_fen_lose_nothing(value: int) -> None:
    assert fen(yuan(value)) == value
    assert thousandths(yuan(value, 5)) == value


@given(st.text(max_size=12))
def test_only_an_amount_is_an_amount(text: str) -> None:
    try:
        value = thousandths(text)
    except BillUnreadable:
        return
    assert abs(value) == int(text.lstrip("-").split(".")[0]) * 100_000 + int(
        (text.partition(".")[2] or "0").ljust(5, "0")
    )


def flow(kind: str, direction: str, amount: str, left: str, number: str = "42IH1") -> str:
    return line(
        "2026-11-20 09:10:00",
        number,
        "2026112000000001",
        "交易",
        kind,
        direction,
        amount,
        left,
        "system",
        "",
        "IH1",
    )


@pytest.mark.parametrize("unit", ["(元)", "（元）", ""])
def test_the_fund_flow_has_a_sign_for_its_direction(unit: str) -> None:
    content = file(
        FLOW.replace("(元)", unit), flow("交易", "收入", "30.00", "130.00"), flow("扣除交易手续费", "支出", "0.18", "129.82"),
        FLOW_SUMMARY, line("2", "1", "30.00", "1", "0.18"),
    )  # fmt: skip

    read = read_fund_flow_bill(DAY, content)

    assert [(row.kind, row.amount, row.balance) for row in read.rows] == [
        ("交易", 3000, 13_000), ("扣除交易手续费", -18, 12_982),
    ]  # fmt: skip
    assert read.mismatches == ()


def test_a_fund_flow_that_does_not_add_up_is_told() -> None:
    content = file(
        FLOW, flow("交易", "收入", "30.00", "30.00"), FLOW_SUMMARY, line("1", "1", "30.01", "0", "0.00")
    )

    assert read_fund_flow_bill(DAY, content).mismatches == (Mismatch("收入金额", 3001, 3000),)


def test_a_direction_that_nobody_knows_is_refused() -> None:
    content = file(
        FLOW, flow("交易", "冻结", "30.00", "30.00"), FLOW_SUMMARY, line("1", "1", "30.00", "0", "0.00")
    )

    with pytest.raises(BillUnreadable, match="收支类型"):
        read_fund_flow_bill(DAY, content)


def test_a_bill_of_the_early_form_has_no_settled_amounts() -> None:
    """Merchants without vouchers may still get it: 应结订单金额 and 代金券金额 are not among its columns."""
    gone = {"应结订单金额", "代金券金额"}
    names = HEADER.split(",")
    row = ",".join(part for name, part in zip(names, paid().split(","), strict=True) if name not in gone)
    header = ",".join(name for name in names if name not in gone)

    read = read_trade_bill(DAY, file(header, row, SUMMARY, totals(1, 3000)))

    assert (read.rows[0].total, read.rows[0].settled, read.mismatches) == (3000, 3000, ())
