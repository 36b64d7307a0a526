"""`GET /v3/certificates`: platform certificates, encrypted with the APIv3 key; new merchants have none."""

import base64
import secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding

from miniapp_mock.wechat.clock import rfc3339
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay.endpoint import Call
from miniapp_mock.wechat.pay.errors import PayError
from miniapp_mock.wechat.pay.keys import SigningKey


def list_certificates(mock: Mock, _call: Call) -> dict[str, Any]:
    if mock.keys.platform is None:
        raise PayError(
            "RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。可查看指引"
        )
    keys = [mock.keys.platform]
    if mock.faults.on("rotated_key"):
        keys += [key for key in mock.keys.successors() if key.certificate]
    return {"data": [_entry(mock, key) for key in keys]}


def _entry(mock: Mock, key: SigningKey) -> dict[str, Any]:
    certificate = key.certificate
    assert certificate is not None
    nonce, associated = secrets.token_hex(6), "certificate"
    ciphertext = AESGCM(mock.settings.apiv3_key).encrypt(
        nonce.encode(), certificate.public_bytes(Encoding.PEM), associated.encode()
    )
    return {
        "serial_no": key.serial,
        "effective_time": rfc3339(certificate.not_valid_before_utc.timestamp()),
        "expire_time": rfc3339(certificate.not_valid_after_utc.timestamp()),
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": associated,
            "ciphertext": base64.b64encode(ciphertext).decode(),
        },
    }
