"""Logging in."""

from backend.account import service
from backend.account.model import Account
from backend.account.wire import LoggedIn, Me, PhoneBound, PhoneCode, StaffLogin, WeChatLogin
from backend.caller import DEVICE, known_device, new_device
from backend.edge import EVERYBODY, PATIENT, ApiCall, ApiEndpoint, Family
from backend.rates import admit
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.errors import Unauthenticated
from foundation.masking import mask_phone
from foundation.web.endpoint import act, get, send


async def login_wechat(call: ApiCall, body: WeChatLogin) -> LoggedIn:
    """Exchange a WeChat code for a session. A device that is none of ours gets an id."""
    await admit(call, "login")
    openid = await call.app.wechat.login(body.code)
    async with call.unit_of_work() as session:
        account = await service.account_of(session, call.app.settings.wechat_appid, openid)
        token = await service.open_patient_session(session, account)
        audit(
            session,
            Actor("account", account.id, frozenset({PATIENT})),
            "account.login",
            "account",
            account.id,
        )
    claim = call.request.headers.get(DEVICE, "")
    device = claim if known_device(claim) else new_device()
    return LoggedIn(token, account.id, PATIENT, "", account.phone is not None, device)


async def login_staff(call: ApiCall, body: StaffLogin) -> LoggedIn:
    """Staff: password and TOTP."""
    token, staff = await service.open_staff_session(call.db, body.login, body.password, body.totp)
    return LoggedIn(token, staff.id, staff.role, staff.display_name, phone_bound=True)


async def bind_phone(call: ApiCall, body: PhoneCode) -> PhoneBound:
    """Bind the phone number that WeChat confirms."""
    account_id = call.actor.id
    if account_id is None:
        raise Unauthenticated
    phone = await call.app.wechat.phone_number(body.code)
    async with call.unit_of_work() as session:
        await service.bind_phone(session, account_id, phone)
        audit(session, call.actor, "account.bind_phone", "account", account_id)
    return PhoneBound(mask_phone(phone))


async def logout(call: ApiCall) -> None:
    """End this session."""
    if call.actor.session_id is not None:
        await service.close_session(call.session, call.actor.session_id)
        audit(call.session, call.actor, "account.logout", call.actor.kind, call.actor.id or "")


async def me(call: ApiCall) -> Me:
    """Who is logged in."""
    account = await call.session.get(Account, call.actor.id) if call.actor.kind == "account" else None
    phone = mask_phone(account.phone) if account and account.phone else ""
    assert call.actor.id is not None
    return Me(call.actor.id, call.actor.kind, sorted(call.actor.roles), call.actor.name, phone)


ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/login/wechat", login_wechat, body=WeChatLogin, reply=LoggedIn, summary="微信登录",
         family=Family.PERSONAL_VISIT, transaction=False, audited="account.login"),
    send("POST", "/login/staff", login_staff, body=StaffLogin, reply=LoggedIn, summary="员工登录",
         family=Family.ONLINE_TREATMENT, transaction=False, audited="account.login"),
    send("POST", "/login/phone", bind_phone, body=PhoneCode, reply=PhoneBound, summary="绑定手机号",
         family=Family.PERSONAL_VISIT, roles=[PATIENT], transaction=False),
    act("POST", "/logout", logout, summary="退出登录", family=Family.PERSONAL_VISIT, roles=EVERYBODY),
    get("/me", me, reply=Me, summary="当前登录者", family=Family.PERSONAL_VISIT, roles=EVERYBODY),
]  # fmt: skip
