"""A backend's context over the doubles of `tests.town`: what every handler and job is given."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from redis.asyncio import Redis

from backend.app import create_app
from backend.composition import e_bills, medical_insurance, signatures, sms, wechat_pay
from backend.context import Context
from backend.kept_copy.reading import KeptObjects
from backend.live import Live
from backend.outside.courier import Courier
from backend.outside.his import Hospital
from backend.outside.identity import IdentityService
from backend.outside.kept import HospitalStore
from backend.outside.signed import SignedClient
from backend.outside.wechat import WeChat
from backend.settings import Settings
from backend.wiring import wiring
from foundation.clock import Clock
from foundation.db.unit_of_work import Database
from foundation.object_store import FolderStore
from standalone.certificates import Certificates
from tests.database import KEYRING
from tests.town import CALLBACK_KEY, CALLBACK_SECRET, KEY, SECRET, Town
from tests.unit.wechat_mock.merchant import APIV3_KEY, APPID, MCHID, PUBLIC_KEY_ID, serial_of
from tests.unit.wechat_mock.merchant import SECRET as APP_SECRET
from tests.unit.wechat_mock.settings_of_a_mock import INSURANCE_KEY, INSURANCE_SECRET

_ROOTS = ssl.create_default_context()
FRONT = "http://127.0.0.1:8000"


def environment(town: Town, certificates: Certificates, redis: str, objects: Path) -> dict[str, str]:
    """Every setting of the backend, as its process would find it."""
    pair = certificates.hospital["backend-api"]
    urls = dict.fromkeys(("API_URL", "MEDIA_URLS", "NOTIFY_URL", "ADAPTER_URL"), "http://127.0.0.1:9")
    keys = {f"{name}_APP_KEY": KEY for name in ("CA", "IDENTITY", "COURIER")}
    secrets = {f"{name}_SECRET": SECRET for name in ("CA", "IDENTITY", "COURIER")}
    return {
        "ENV": "test", "DATABASE_URL": "postgresql+asyncpg://127.0.0.1:9/none", "REDIS_URL": redis,
        "HOSPITAL_ID": "01930000-0000-7000-8000-000000000001", "OBJECT_FOLDER": str(objects), "FRONT_URL": FRONT,
        "FIELD_KEYS": f"k1:{KEYRING.keys['k1'].hex()}", "FIELD_KEY_CURRENT": "k1", "INDEX_KEY": KEYRING.index_key.hex(),
        "TLS_CERT": str(pair.certificate), "TLS_KEY": str(pair.key), "TLS_ROOT": str(certificates.hospital.root),
        "GATEWAY_URLS": town.gateway_url, "CA_URL": town.ca, "CA_ROOT": str(town.ca_root), "IDENTITY_URL": town.identity, "COURIER_URL": town.courier,
        "WECHAT_API_URL": town.wechat, "WECHAT_PAY_URL": town.wechat, "WECHAT_APPID": APPID, "WECHAT_SECRET": APP_SECRET,
        "WECHAT_MCHID": MCHID, "WECHAT_APIV3_KEY": APIV3_KEY, "WECHAT_MERCHANT_KEY": str(town.keys / "merchant.key"),
        "WECHAT_MERCHANT_SERIAL": serial_of(town.keys / "merchant.pem"),
        "WECHAT_PUBLIC_KEY": str(town.keys / "wechat.pub"), "WECHAT_PUBLIC_KEY_ID": PUBLIC_KEY_ID,
        **insurance(town), "EBILL_URL": town.ebill, "EBILL_APP_KEY": KEY, "EBILL_SECRET": SECRET, "SMS_URL": town.sms,
        "SMS_APP_KEY": KEY, "SMS_SECRET": SECRET,
        "COURIER_CALLBACK_KEY": CALLBACK_KEY, "COURIER_CALLBACK_SECRET": CALLBACK_SECRET, **urls, **keys, **secrets,
    }  # fmt: skip


def insurance(town: Town) -> dict[str, str]:
    """Taken by the WeChat mock, which is the bureau as well."""
    return {
        "INSURANCE": "wechat", "INSURANCE_BUREAU_URL": town.wechat, "INSURANCE_BUREAU_APP_KEY": INSURANCE_KEY,
        "INSURANCE_BUREAU_SECRET": INSURANCE_SECRET, "INSURANCE_PARTNER_URL": town.wechat,
        "INSURANCE_PARTNER_ID": INSURANCE_KEY, "INSURANCE_PARTNER_SECRET": INSURANCE_SECRET,
        "INSURANCE_ORG_CODE": "H31011400001", "INSURANCE_ORG_NAME": "示范医院", "INSURANCE_CITY_ID": "310100",
        "INSURANCE_CHANNEL": "TEST",
    }  # fmt: skip


@asynccontextmanager
async def opened(settings: Settings, clock: Clock, db: Database) -> AsyncIterator[Context]:
    """`backend.composition.open_context` with another database; nothing is woken, tests run what is due themselves."""
    s = settings
    redis = Redis.from_url(s.redis_url, socket_connect_timeout=2)
    await redis.flushdb()
    pay = wechat_pay(s, clock, db)
    hospital_store = HospitalStore(s.gateway_urls, _ROOTS)
    kept = KeptObjects(FolderStore(s.object_folder, KEYRING), db, hospital_store, KEYRING)
    context = Context(
        settings=s, clock=clock, db=db, redis=redis,
        wechat=WeChat(s.wechat_api_url, s.wechat_appid, s.wechat_secret, clock),
        pay=pay,
        hospital=Hospital(s.gateway_urls, _ROOTS),
        identity=IdentityService(SignedClient(s.identity_url, s.identity_app_key, s.identity_secret, clock, "实名认证服务")),
        ca=signatures(s, clock),
        courier=Courier(SignedClient(s.courier_url, s.courier_app_key, s.courier_secret, clock, "配送公司")),
        insurance=medical_insurance(s, pay, clock), e_bills=e_bills(s, clock), sms=sms(s, clock),
        objects=kept, hospital_store=hospital_store, live=Live(redis), wiring=wiring(),
    )  # fmt: skip
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
            context.sms,
        ):
            await client.close()
        await context.hospital.close()
        await hospital_store.close()
        kept.close()
        await context.adapter.close()
        await redis.aclose()


@asynccontextmanager
async def client_of(context: Context) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the whole application without a socket."""
    transport = httpx.ASGITransport(create_app(context), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        yield client
