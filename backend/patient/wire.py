"""Structs of the person routes. Names and numbers go out masked; only the person's own screen shows the name."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.patient.model import Person, PersonGrant
from foundation.masking import mask_id_number, mask_phone

Name = Annotated[str, Meta(min_length=1, max_length=60)]
IdText = Annotated[str, Meta(min_length=1, max_length=30)]
Relation = Annotated[str, Meta(max_length=20)]


class AddPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`kind`: self or guardian; `relation`: 母亲, 父亲 … for a guardian."""

    name: Name
    id_number: IdText
    kind: Annotated[str, Meta(pattern="^(self|guardian)$")] = "self"
    relation: Relation = ""


class PersonView(msgspec.Struct, frozen=True):
    """A person as her account sees her."""

    id: UUID
    grant_id: UUID
    name: str
    id_number: str
    phone: str
    sex: str
    birth_date: date
    kind: str
    relation: str
    scope: list[str]
    consented: bool


class GiveConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which text was read: kind, version and hash as `GET /documents/{kind}` showed them."""

    kind: Annotated[str, Meta(max_length=40)]
    version: Annotated[str, Meta(max_length=20)]
    content_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class ConsentView(msgspec.Struct, frozen=True):
    """A consent on record."""

    id: UUID
    kind: str
    version: str
    given_at: datetime


class MakeCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the proxy may do: `book` (book, pay, wait, accompany), `records` (see records and prescriptions), `private` (also gynaecology …)."""

    scope: Annotated[tuple[Literal["book", "records", "private"], ...], Meta(min_length=1, max_length=3)] = (
        "book",
        "records",
    )


class GrantCodeView(msgspec.Struct, frozen=True):
    """Six digits, good for ten minutes and one use."""

    code: str
    seconds: int


class RedeemCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code another adult gave."""

    code: Annotated[str, Meta(pattern=r"^\d{6}$")]
    relation: Relation = ""


def person_view(person: Person, grant: PersonGrant, *, consented: bool) -> PersonView:
    """From the rows."""
    return PersonView(
        id=person.id, grant_id=grant.id, name=person.name, id_number=mask_id_number(person.id_number),
        phone=mask_phone(person.phone), sex=person.sex, birth_date=date.fromisoformat(person.birth_date),
        kind=grant.kind, relation=grant.relation, scope=list(grant.scope), consented=consented,
    )  # fmt: skip
