"""Settings of the backend that are complete and lead nowhere: for tests of what needs them and calls nobody outside."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from backend.settings import Settings
from standalone.certificates import ensure
from standalone.paths import DataFolder

NOWHERE = "http://127.0.0.1:9"
URLS = (
    "api_url", "notify_url", "adapter_url", "wechat_api_url", "wechat_pay_url", "identity_url", "ca_url", "courier_url",
)  # fmt: skip
TEXTS = (
    "wechat_appid", "wechat_secret", "wechat_mchid", "wechat_merchant_serial",
    "identity_app_key", "identity_secret", "ca_app_key", "ca_secret", "courier_app_key", "courier_secret",
    "courier_callback_key", "courier_callback_secret",
)  # fmt: skip


def settings(folder: Path, **more: Any) -> Settings:
    """With keys and certificates of their own, made in `folder`."""
    own = ensure(DataFolder(folder)).hospital["backend-api"]
    root = ensure(DataFolder(folder)).hospital.root
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    private, public = folder / "merchant.pem", folder / "wechat.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    values: dict[str, Any] = {
        **dict.fromkeys(URLS, NOWHERE), **dict.fromkeys(TEXTS, "nothing"), "front_url": "https://front.test",
        "database_url": "postgresql+asyncpg://nobody@127.0.0.1:9/nothing", "redis_url": "redis://127.0.0.1:9",
        "hospital_id": uuid4(), "field_keys": f"k1:{'00' * 32}", "field_key_current": "k1", "index_key": bytes(32),
        "object_folder": folder, "gateway_urls": (NOWHERE,), "wechat_apiv3_key": "0" * 32, "tls_cert": own.certificate,
        "tls_key": own.key, "tls_root": root, "wechat_merchant_key": private, "wechat_public_key": public,
        "wechat_public_key_id": "PUB_KEY_ID_0",
    }  # fmt: skip
    return Settings(**(values | more))
