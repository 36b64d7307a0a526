"""Persons, grants, consents."""

from uuid import UUID

from backend.account.model import Account
from backend.edge import PATIENT, ApiCall, ApiEndpoint, Family
from backend.patient import queries, service
from backend.patient.guessing import guessed_wrong, may_guess
from backend.patient.wire import (
    AddPerson,
    ConsentView,
    GiveConsent,
    GrantCodeView,
    MakeCode,
    PersonView,
    RedeemCode,
    person_view,
)
from backend.rates import admit
from foundation.errors import Conflict, Invalid, Unauthenticated
from foundation.web.endpoint import act, get, send


async def add_person(call: ApiCall, body: AddPerson) -> PersonView:
    """Verify a person with the real-name service and register her."""
    await admit(call, "identity")
    account_id = call.actor.id
    if account_id is None:
        raise Unauthenticated
    async with call.unit_of_work() as session:
        account = await session.get_one(Account, account_id)
        if not account.phone:
            raise Conflict("请先绑定手机号", code="phone_not_bound")
        phone = account.phone
        check, parsed = await service.ask_identity(session, account_id, body.name, body.id_number, body.kind)
        check_id: UUID = check.id
    answer = await call.app.identity.verify(check_id, body.name.strip(), parsed.number)
    async with call.unit_of_work() as session:
        await service.record_identity(session, check_id, answer)
    service.require_match(answer)
    async with call.unit_of_work() as session:
        person = await service.register(
            session, call.actor, parsed, name=body.name, phone=phone, kind=body.kind, relation=body.relation,
            answer=answer,
        )  # fmt: skip
        grant = await queries.grant_on(session, call.actor, person.id)
        return person_view(person, grant, consented=await queries.consented(session, person.id))


async def list_persons(call: ApiCall) -> list[PersonView]:
    """Everybody this account may act for."""
    assert call.actor.id is not None
    found = await queries.persons_of(call.session, call.actor.id)
    return [
        person_view(person, grant, consented=await queries.consented(call.session, person.id))
        for person, grant in found
    ]


async def give_consent(call: ApiCall, body: GiveConsent) -> ConsentView:
    """Agree to a document for a person."""
    consent = await service.give_consent(
        call.session, call.actor, call.id(), body.kind, body.version, body.content_hash
    )
    return ConsentView(consent.id, consent.document_kind, consent.document_version, consent.given_at)


async def withdraw_consent(call: ApiCall) -> None:
    """Withdraw the informed consent."""
    await service.withdraw_consent(call.session, call.actor, call.id(), call.request.path_params["kind"])


async def make_code(call: ApiCall, body: MakeCode) -> GrantCodeView:
    """A code that lets another account act for this person."""
    code = await service.make_grant_code(call.session, call.actor, call.id(), body.scope)
    return GrantCodeView(code, int(service.CODE_LIFE.total_seconds()))


async def redeem_code(call: ApiCall, body: RedeemCode) -> PersonView:
    """Become proxy of an adult by her code."""
    assert call.actor.id is not None
    await may_guess(call.app.redis, call.actor.id)
    try:
        person = await service.redeem_grant_code(call.session, call.actor, body.code, body.relation)
    except Invalid:
        await guessed_wrong(call.app.redis, call.actor.id)
        raise
    grant = await queries.grant_on(call.session, call.actor, person.id)
    return person_view(person, grant, consented=await queries.consented(call.session, person.id))


async def revoke_grant(call: ApiCall) -> None:
    """Take a grant back."""
    await service.revoke_grant(call.session, call.actor, call.id(), call.id("grant_id"))


FAMILY = Family.PERSONAL_VISIT
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/persons", add_person, body=AddPerson, reply=PersonView, summary="实名认证并添加就诊人",
         family=FAMILY, roles=[PATIENT], status=201, transaction=False, audited="patient.verify"),
    get("/persons", list_persons, reply=list[PersonView], summary="就诊人列表", family=FAMILY, roles=[PATIENT]),
    send("POST", "/persons/{id}/consents", give_consent, body=GiveConsent, reply=ConsentView, summary="签署知情同意",
         family=FAMILY, roles=[PATIENT], status=201),
    act("DELETE", "/persons/{id}/consents/{kind}", withdraw_consent, summary="撤回同意", family=FAMILY,
        roles=[PATIENT]),
    send("POST", "/persons/{id}/grant-codes", make_code, body=MakeCode, reply=GrantCodeView, summary="生成代办授权码",
         family=FAMILY, roles=[PATIENT], status=201),
    send("POST", "/grants", redeem_code, body=RedeemCode, reply=PersonView, summary="使用代办授权码", family=FAMILY,
         roles=[PATIENT], status=201, audited="patient.become_proxy"),
    act("DELETE", "/persons/{id}/grants/{grant_id}", revoke_grant, summary="取消授权", family=FAMILY,
        roles=[PATIENT]),
]  # fmt: skip
