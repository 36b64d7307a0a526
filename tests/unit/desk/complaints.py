"""A complaint as it lies in the database."""

from datetime import timedelta
from uuid import UUID

from backend.account.model import Account
from backend.complaint.model import Complaint
from backend.patient.model import Person
from foundation.db.columns import blind_index
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id


async def a_complaint(db: Database, words: str = "等了很久也没有人接诊。", name: str = "周桂珍") -> UUID:
    """Filed by somebody who exists; returns its id."""
    now, number = db.clock.now(), "310114195802030047"
    async with unit_of_work(db) as session:
        account = Account(id=new_id(), appid="app", openid=new_id().hex, made_at=now)
        person = Person(
            id=new_id(), name=name, id_number=number, id_number_index=blind_index("person.id_number", new_id().hex),
            birth_date="1958-02-03", sex="female", phone="19900000001", verified_at=now,
        )  # fmt: skip
        session.add_all([account, person])
        await session.flush()
        complaint = Complaint(
            id=new_id(), account_id=account.id, person_id=person.id, words=words, filed_at=now,
            answer_by=now + timedelta(days=7),
        )  # fmt: skip
        session.add(complaint)
    return complaint.id
