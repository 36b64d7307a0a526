"""Cards: messages with a form. Their text is stored as JSON in the message's encrypted body. Pure.

A prescription's card names no drug: it leads to the prescription, which knows how it stands and who may see it.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

Line = Annotated[str, Meta(min_length=1, max_length=60)]


class PrescriptionCard(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="card", tag="prescription"
):
    """A prescription came to a point of its way; `stage`: signed, approved, returned, cancelled."""

    prescription_id: UUID
    number: str
    drugs: int
    stage: str


class ExaminationCard(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="card", tag="examination"
):
    """What the doctor advises to have examined at the hospital; no order, no appointment."""

    items: Annotated[list[Line], Meta(min_length=1, max_length=10)]
    note: Annotated[str, Meta(max_length=200)] = ""


class NoticeCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="card", tag="notice"):
    """Something that both should see: a title, a text, whether it is urgent."""

    title: Annotated[str, Meta(min_length=1, max_length=30)]
    text: Annotated[str, Meta(max_length=300)] = ""
    urgent: bool = False


Card = PrescriptionCard | ExaminationCard | NoticeCard
KIND: dict[type[Card], str] = {
    PrescriptionCard: "prescription",
    ExaminationCard: "examination",
    NoticeCard: "notice_card",
}
"""The kind of the message that carries a card."""
_BY_KIND: dict[str, type[Card]] = {kind: card for card, kind in KIND.items()}


def packed(card: Card) -> str:
    """As it is stored."""
    return msgspec.json.encode(card).decode()


def card_of(kind: str, body: str) -> Card | None:
    """The card of a stored message; None for messages that are none."""
    found = _BY_KIND.get(kind)
    return None if found is None else msgspec.json.decode(body, type=found)


def in_words(card: Card) -> str:
    """For who cannot show cards: one line."""
    match card:
        case PrescriptionCard():
            return f"电子处方 {card.number}（{card.drugs} 种药品）{STAGES.get(card.stage, '')}"
        case ExaminationCard():
            return "建议检查：" + "、".join(card.items)
        case NoticeCard():
            return card.title


STAGES = {
    "signed": "已开具，等待药师审核",
    "approved": "已通过审核，可以支付",
    "returned": "药师请医生修改，请稍候",
    "cancelled": "已撤销",
}
