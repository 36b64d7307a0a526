"""What is claimed from the insurance and what is not; who may authorise; which choice is needed. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.outside.insurance import Authorisation, ClaimLine, OrderType, Split
from foundation.errors import Issue

GRADES = ("甲", "乙", "丙")


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the insurance knows a fee of our price list."""

    code: Annotated[str, Meta(min_length=1, max_length=60)]
    grade: Annotated[str, Meta(pattern="^[甲乙丙]$")]
    order_type: OrderType


@dataclass(frozen=True)
class Fee:
    """A line of the bill with what the insurance's catalogue says of it; `icd10` limits for what it pays."""

    name: str
    quantity: int
    unit: int
    code: str = ""
    grade: str = ""
    icd10: Sequence[str] = ()

    @property
    def amount(self) -> int:
        """In fen."""
        return self.unit * self.quantity


@cache
def services() -> Mapping[str, Service]:
    """Fees that are not drugs, by their code in the price list."""
    text = (files("backend.insurance") / "data" / "services.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["service"], dict[str, Service])


def claim_line(fee: Fee, diagnoses: Sequence[str]) -> ClaimLine:
    """A fee outside the catalogue, or for another illness than the catalogue pays for, has no grade: she pays it herself.

    practice.md 15: formulary rows carry insurance code, class and restriction.
    """
    pays = fee.grade in GRADES and bool(fee.code) and covered(fee.icd10, diagnoses)
    return ClaimLine(
        fee.code if pays else "", fee.name, fee.grade if pays else "", fee.quantity, fee.unit, fee.amount
    )


def covered(icd10: Sequence[str], diagnoses: Sequence[str]) -> bool:
    """Whether the restriction of a drug is met; one without any always is.

    `I10` covers I10.x00, `E11.2` covers E11.200, `M80-M82` covers every code of these categories.
    """
    return not icd10 or any(_within(code.upper(), span) for code in diagnoses for span in icd10)


def _within(code: str, span: str) -> bool:
    first, _, last = span.partition("-")
    return first[:3] <= code[:3] <= last[:3] if last else code.startswith(first)


def authorisation_issues(found: Authorisation, name: str, id_number: str) -> list[Issue]:
    """Only the patient herself authorises (practice.md 3): the credential must be hers."""
    if (found.name, found.id_number.upper()) != (name, id_number.upper()):
        return [Issue("code", "somebody_else", "授权人不是就诊人本人，请就诊人用自己的微信授权")]
    return []


def quote_issues(shown: Split, quoted: Split) -> list[Issue]:
    """She agrees to what she was shown, and to nothing else."""
    if shown != quoted:
        return [Issue("split", "changed", "医保结算金额有变化，请重新核对")]
    return []


def parts_of(split: Split, freight: int) -> dict[str, int]:
    """Tenders of a bill that is paid so; what is nothing is left out. They add up to the claim and the freight."""
    parts = {
        "wechat_cash": split.cash + freight,
        "ins_gov": split.gov,
        "ins_self": split.self_,
        "ins_other": split.other,
    }
    return {tender: amount for tender, amount in parts.items() if amount}
