"""Structs of the insurance routes."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.insurance.model import InsuranceOrder
from backend.insurance.states import INSURANCE_ORDER, InsuranceState
from backend.outside.insurance import Split
from contracts.money import Fen


class SplitView(msgspec.Struct, frozen=True, rename={"self_": "self"}):
    """Who pays what: 医保统筹, 个人账户, 其他, 自付; `freight` is cash too, `to_pay` is all the cash."""

    gov: Fen
    self_: Fen
    other: Fen
    cash: Fen
    freight: Fen
    insurance: Fen
    to_pay: Fen
    total: Fen


class InsuranceView(msgspec.Struct, frozen=True):
    """Whether and how a bill may be paid by insurance. `why_not` is for the patient; `invitation` opens the authorisation page.

    `state` is empty when nothing was begun. `failure` says why an attempt ended without payment: paying all of it herself
    is then offered with `full_amount`, and waits for her choice (`choice_needed`).
    """

    offered: bool
    why_not: str
    invitation: dict[str, str]
    state: str
    state_label: str
    failure: str
    choice_needed: bool
    split: SplitView | None
    full_amount: Fen
    quoted_at: datetime | None


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the authorisation page handed back."""

    code: Annotated[str, Meta(min_length=1, max_length=128)]


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"self_": "self"}):
    """The split that she was shown and accepts."""

    gov: Fen
    self_: Fen
    other: Fen
    cash: Fen

    @property
    def split(self) -> Split:
        """To compare."""
        return Split(self.gov, self.self_, self.other, self.cash)


class MixedParameters(msgspec.Struct, frozen=True, rename="camel"):
    """What `wx.requestMedicalInsurancePay` takes; the signed values are empty when insurance pays all."""

    mix_trade_no: str
    app_id: str = ""
    time_stamp: str = ""
    nonce_str: str = ""
    package: str = ""
    sign_type: str = ""
    pay_sign: str = ""


def split_view(order: InsuranceOrder) -> SplitView | None:
    """None before the bureau has answered."""
    if order.quoted_at is None:
        return None
    split = order.split
    return SplitView(
        split.gov, split.self_, split.other, split.cash, order.freight, split.insurance, split.cash + order.freight,
        split.total + order.freight,
    )  # fmt: skip


def view(
    order: InsuranceOrder | None,
    full: int,
    *,
    offered: bool,
    why_not: str,
    invitation: dict[str, str],
    choice: bool,
) -> InsuranceView:
    """Of the newest attempt."""
    shown = order if order is not None and order.state != InsuranceState.ABANDONED else None
    return InsuranceView(
        offered=offered, why_not=why_not, invitation=invitation, state=shown.state if shown else "",
        state_label=INSURANCE_ORDER.labels[shown.state] if shown else "", failure=shown.failure if shown else "",
        choice_needed=choice, split=split_view(shown) if shown else None, full_amount=full,
        quoted_at=shown.quoted_at if shown else None,
    )  # fmt: skip
