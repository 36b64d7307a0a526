"""Keys, people and settings for a mock under test."""

import datetime as dt
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tests.unit.wechat_mock.merchant import APIV3_KEY, APPID, MCHID, PUBLIC_KEY_ID, SECRET

FRONT = "http://127.0.0.1:8000"
PEOPLE = [
    {
        "openid": "o-patient",
        "unionid": "u-patient",
        "phone": "19900000001",
        "owner_name": "林秀兰",
        "label": "高血压复诊患者",
        "role": "patient",
    },
    {"openid": "o-other", "phone": "19900000002", "owner_name": "何家宁", "role": "patient"},
    {
        "openid": "o-doctor",
        "unionid": "u-doctor",
        "phone": "19900000003",
        "owner_name": "周明远",
        "label": "老年科",
        "role": "doctor",
    },
    {"openid": "o-pharmacist", "phone": "19900000004", "owner_name": "方静", "role": "pharmacist"},
    {"openid": "o-crowd", "phone": "19900000005", "owner_name": "龚一", "role": "crowd"},
]

INSURED: list[dict[str, str | int]] = [
    {
        "openid": "o-patient",
        "name": "林秀兰",
        "id_number": "310114195803159023",
        "kind": "employee",
        "account_fen": 800,
    },
    {"openid": "o-other", "name": "何家宁", "id_number": "310114198507019046", "kind": "resident"},
]
"""Whose phones are bound to an insurance credential; the names are those of `tests.small_world`."""
INSURANCE_KEY, INSURANCE_SECRET = "insurance-key-of-a-test", "insurance-secret-of-a-test"


def make_keys(folder: Path) -> None:
    """`merchant.pem/.key`, `platform.pem/.key`, `wechat.pub/.key`."""
    now = dt.datetime.now(dt.UTC)
    for name in ("merchant", "platform", "wechat"):
        key = generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of a test")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=60))
            .not_valid_after(now + dt.timedelta(days=400))
            .sign(key, SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.key").write_bytes(pem)
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pub").write_bytes(public)


def make_environment(keys: Path, folder: Path, kind: str = "new") -> dict[str, str]:
    (folder / "phones.json").write_text(json.dumps(PEOPLE, ensure_ascii=False), encoding="utf-8")
    (folder / "insured.json").write_text(json.dumps(INSURED, ensure_ascii=False), encoding="utf-8")
    (folder / "hospital.json").write_text(
        json.dumps({"name": "某某医院互联网医院"}, ensure_ascii=False), encoding="utf-8"
    )
    return {
        "ENV": "test",
        "WECHAT_DATA": str(folder / "data"),
        "WECHAT_WORLD": str(folder),
        "WECHAT_FRONT_URL": FRONT,
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SECRET,
        "WECHAT_MCHID": MCHID,
        "WECHAT_APIV3_KEY": APIV3_KEY,
        "WECHAT_MERCHANT_KIND": kind,
        "WECHAT_MERCHANT_CERT": str(keys / "merchant.pem"),
        "WECHAT_PUBLIC_KEY_ID": PUBLIC_KEY_ID,
        "WECHAT_PRIVATE_KEY": str(keys / "wechat.key"),
        "WECHAT_PLATFORM_CERT": str(keys / "platform.pem"),
        "WECHAT_PLATFORM_KEY": str(keys / "platform.key"),
        "WECHAT_INSURANCE_KEY": INSURANCE_KEY,
        "WECHAT_INSURANCE_SECRET": INSURANCE_SECRET,
    }
