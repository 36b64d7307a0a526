"""The composition root: settings in, context out. API, worker and commands all start here."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool, Redis

from backend.alarm.service import Bell
from backend.context import Context
from backend.insuring import InsuranceWay
from backend.kept_copy.reading import KeptObjects
from backend.live import Live
from backend.outside.adapter import SupervisionAdapter
from backend.outside.ca import SignatureProvider
from backend.outside.ca_algorithms import ECDSA, SM2
from backend.outside.courier import Courier
from backend.outside.e_bill import EBill, NoEBill
from backend.outside.e_bill_platform import EBillPlatform
from backend.outside.e_prescription import Centre, EPrescriptions, NoEPrescriptions, Seal
from backend.outside.his import Hospital
from backend.outside.identity import IdentityService
from backend.outside.insurance import MedicalInsurance, SelfPayOnly
from backend.outside.insurance_bureau import Bureau
from backend.outside.kept import HospitalStore
from backend.outside.med_ins import Partner, WeChatInsurance
from backend.outside.review_server import CdsReviewServer, Identity, NoReviewServer, ReviewServer
from backend.outside.signed import SignedClient
from backend.outside.sms import NoSms, SmsCompany, SmsProvider
from backend.outside.wechat import WeChat
from backend.outside.wechat_pay import WeChatPay
from backend.outside.wechat_pay_crypto import Merchant, load_public_key
from backend.outside.wechat_pay_exchange import Exchange
from backend.outside.wechat_pay_keys import PayKeys
from backend.outside.wechat_pay_signed import SignedPay
from backend.outside.wechat_pay_troubles import Troubles
from backend.policy import bind_policy
from backend.settings import CaAlgorithm, Settings, WeChatKeyMode
from backend.wiring import wiring
from foundation.clock import Clock
from foundation.db.base import bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import Database, connect

JOB = "run_intent"


def bind(settings: Settings) -> None:
    """Give the rows of this process their hospital and their keys, and the services their numbers."""
    bind_policy(settings)
    bind_hospital(settings.hospital_id)
    bind_keyring(settings.keyring())


def database(settings: Settings, clock: Clock, application: str) -> Database:
    """The engine of one process."""
    return connect(settings.database_url, clock, pool=settings.database_pool, application=application)


@asynccontextmanager
async def open_context(settings: Settings, clock: Clock, application: str) -> AsyncIterator[Context]:
    """Everything a handler needs; closed in reverse order."""
    bind(settings)
    db = database(settings, clock, application)
    pool = ConnectionPool.from_url(settings.redis_url, socket_connect_timeout=2, socket_timeout=None)
    redis: Redis = Redis(connection_pool=pool)
    jobs = ArqRedis(connection_pool=pool)
    live = Live(redis)

    async def wake(due: list[UUID]) -> None:
        for intent_id in due:
            await jobs.enqueue_job(JOB, str(intent_id))

    async def wake_later(soon: Mapping[UUID, timedelta]) -> None:
        for intent_id, wait in soon.items():
            await jobs.enqueue_job(JOB, str(intent_id), _defer_by=wait)

    db.wake, db.wake_later, db.announce = wake, wake_later, live.announce
    hospital_store = HospitalStore(settings.gateway_urls, settings.tls())
    ours = settings.objects_in(settings.object_folder, settings.keyring())
    kept = KeptObjects(ours, db, hospital_store, settings.keyring())
    context = _context(settings, clock, db, redis, live, kept)
    try:
        yield context
    finally:
        for client in (
            context.wechat,
            context.pay,
            context.identity.client,
            context.ca.client,
            context.courier.client,
            context.insurance,
            context.e_bills,
            context.e_prescriptions,
            context.sms,
            context.reviewer,
        ):
            await client.close()
        await context.hospital.close()
        await context.hospital_store.close()
        kept.close()
        await context.adapter.close()
        await redis.aclose()
        await pool.aclose()
        await db.engine.dispose()


def _context(
    settings: Settings, clock: Clock, db: Database, redis: Redis, live: Live, kept: KeptObjects
) -> Context:
    s, pay = settings, wechat_pay(settings, clock, db)
    return Context(
        settings=s,
        clock=clock,
        db=db,
        redis=redis,
        wechat=WeChat(s.wechat_api_url, s.wechat_appid, s.wechat_secret, clock),
        pay=pay,
        hospital=Hospital(s.gateway_urls, s.tls()),
        identity=IdentityService(
            SignedClient(s.identity_url, s.identity_app_key, s.identity_secret, clock, "实名认证服务")
        ),
        ca=signatures(s, clock),
        courier=Courier(SignedClient(s.courier_url, s.courier_app_key, s.courier_secret, clock, "配送公司")),
        insurance=medical_insurance(s, pay, clock),
        e_bills=e_bills(s, clock),
        e_prescriptions=e_prescriptions(s, clock),
        sms=sms(s, clock),
        objects=kept,
        hospital_store=kept.hospital,
        live=live,
        wiring=wiring(),
        reviewer=review_server(s, clock),
        adapter=SupervisionAdapter(s.adapter_url, s.tls()),
    )


def signatures(settings: Settings, clock: Clock) -> SignatureProvider:
    """The CA, with the algorithm of the settings."""
    s = settings
    client = SignedClient(s.ca_url, s.ca_app_key, s.ca_secret, clock, "签名服务")
    return SignatureProvider(
        client, {CaAlgorithm.ECDSA: ECDSA, CaAlgorithm.SM2: SM2}[s.ca_algorithm], s.ca_root, s.ca_sm2_root
    )


def wechat_pay(settings: Settings, clock: Clock, db: Database) -> WeChatPay:
    """The client of WeChat Pay, with the keys of the settings' mode; what a person must put right rings in `db`."""
    s = settings
    merchant = Merchant.load(
        s.wechat_mchid, s.wechat_merchant_serial, s.wechat_merchant_key, s.wechat_apiv3_key
    )
    keys = PayKeys(public={}, folder=s.wechat_public_keys)
    if s.wechat_key_mode is WeChatKeyMode.PUBLIC_KEY:
        assert s.wechat_public_key is not None
        keys.public = {s.wechat_public_key_id: load_public_key(s.wechat_public_key)}
        keys.named = s.wechat_public_key_id
    urls = [url for url in (s.wechat_pay_url, s.wechat_pay_backup_url) if url]
    return WeChatPay(
        s.wechat_appid, SignedPay(Exchange(urls, merchant, clock, Troubles(Bell(db, "wechat_pay"))), keys)
    )


def medical_insurance(settings: Settings, pay: WeChatPay, clock: Clock) -> MedicalInsurance:
    """As the settings say: WeChat with the bureau behind it, or nothing. It shares WeChat Pay's line."""
    s = settings
    if s.insurance is InsuranceWay.NONE:
        return SelfPayOnly()
    line = SignedClient(
        s.insurance_bureau_url, s.insurance_bureau_app_key, s.insurance_bureau_secret, clock, "医保系统"
    )
    partner = Partner(s.insurance_partner_id, s.insurance_partner_secret, s.insurance_channel)
    bureau = Bureau(line, s.insurance_org_code, s.insurance_city_id)
    return WeChatInsurance(
        s.wechat_appid, pay.signed, bureau, partner, s.insurance_partner_url, s.insurance_org_name, clock
    )


def sms(settings: Settings, clock: Clock) -> SmsProvider:
    """The company of text messages, if there is one."""
    s = settings
    if not s.sms_url:
        return NoSms()
    return SmsCompany(SignedClient(s.sms_url, s.sms_app_key, s.sms_secret, clock, "短信公司"))


def review_server(settings: Settings, clock: Clock) -> ReviewServer:
    """The outside review server, if there is one."""
    s = settings
    if not s.review_server_url or s.review_server_key is None:
        return NoReviewServer()
    identity = Identity.load(s.review_server_issuer, s.review_server_key_id, s.review_server_key)
    return CdsReviewServer(
        s.review_server_url, s.review_server_service, identity, clock, float(s.review_server_seconds)
    )


def e_bills(settings: Settings, clock: Clock) -> EBill:
    """The platform of e-bills, if there is one."""
    s = settings
    if not s.ebill_url:
        return NoEBill()
    line = SignedClient(s.ebill_url, s.ebill_app_key, s.ebill_secret, clock, "电子票据平台")
    return EBillPlatform(line, s.ebill_verify_url or s.ebill_url)


def e_prescriptions(settings: Settings, clock: Clock) -> EPrescriptions:
    """The insurance's centre, if the hospital is connected."""
    s = settings
    return Centre(s.epc_url, Seal(s.epc_app_id, s.epc_app_secret), clock) if s.epc_url else NoEPrescriptions()
