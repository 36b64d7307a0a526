"""New merchants have a public key only, old ones certificates only, migrating ones both."""

import base64
import json
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.unit.wechat_mock.calls import faults
from tests.unit.wechat_mock.merchant import (
    APIV3_KEY,
    MCHID,
    PUBLIC_KEY_ID,
    Merchant,
    serial_of,
)
from tests.unit.wechat_mock.receiver import Receiver


def answer_to_a_query(merchant: Merchant) -> httpx.Response:
    number, _ = merchant.order()
    return merchant.get(f"/v3/pay/transactions/out-trade-no/{number}?mchid={MCHID}")


def test_a_new_merchant_has_no_certificates(merchant: Merchant) -> None:
    answer = merchant.get("/v3/certificates")

    assert (answer.status_code, answer.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")
    assert answer.json()["message"].startswith("无可用的平台证书")


def test_a_new_merchant_names_the_public_key_in_every_call(merchant: Merchant) -> None:
    merchant.names_key = None

    answer = merchant.get("/v3/certificates")

    assert answer.json()["detail"]["field"] == "Wechatpay-Serial"
    merchant.names_key = "PUB_KEY_ID_9"
    assert merchant.get("/v3/certificates").json()["detail"]["issue"] == "unknown"


@pytest.mark.parametrize("kind", ["old"])
def test_an_old_merchant_downloads_certificates_and_gets_them_used(
    merchant: Merchant, notify: Receiver, keys: Path
) -> None:
    (entry,) = merchant.get("/v3/certificates").json()["data"]
    sealed = entry["encrypt_certificate"]
    pem = AESGCM(APIV3_KEY.encode()).decrypt(
        sealed["nonce"].encode(), base64.b64decode(sealed["ciphertext"]), b"certificate"
    )

    assert pem.strip() == (keys / "platform.pem").read_bytes().strip()
    assert entry["serial_no"] == serial_of(keys / "platform.pem")
    assert answer_to_a_query(merchant).headers["wechatpay-serial"] == entry["serial_no"]
    merchant.paid_order()
    headers, body = notify.wait(1)[0]
    assert headers["wechatpay-serial"] == entry["serial_no"]
    assert merchant.verifies(headers, body)


@pytest.mark.parametrize("kind", ["old"])
def test_a_rotated_certificate_is_listed_before_it_can_be_needed(
    merchant: Merchant, wechat: httpx.Client
) -> None:
    faults(wechat, rotated_key=True)

    signed_by = answer_to_a_query(merchant).headers["wechatpay-serial"]

    listed = merchant.get("/v3/certificates").json()["data"]
    assert len(listed) == 2
    assert signed_by == listed[1]["serial_no"]
    sealed = listed[1]["encrypt_certificate"]
    pem = AESGCM(APIV3_KEY.encode()).decrypt(
        sealed["nonce"].encode(), base64.b64decode(sealed["ciphertext"]), b"certificate"
    )
    assert f"{x509.load_pem_x509_certificate(pem).serial_number:040X}" == signed_by


@pytest.mark.parametrize("kind", ["old"])
def test_an_old_merchant_has_no_public_key(merchant: Merchant) -> None:
    merchant.names_key = PUBLIC_KEY_ID

    assert merchant.get("/v3/certificates").status_code == 400


@pytest.mark.parametrize("kind", ["migrating"])
def test_answers_to_a_migrating_merchant_follow_what_it_names(merchant: Merchant, keys: Path) -> None:
    assert answer_to_a_query(merchant).headers["wechatpay-serial"] == PUBLIC_KEY_ID
    merchant.names_key = None
    assert answer_to_a_query(merchant).headers["wechatpay-serial"] == serial_of(keys / "platform.pem")


@pytest.mark.parametrize("kind", ["migrating"])
@pytest.mark.parametrize("share", [0, 1])
def test_notifications_to_a_migrating_merchant_move_by_share(
    merchant: Merchant, wechat: httpx.Client, notify: Receiver, keys: Path, share: int
) -> None:
    faults(wechat, public_key_share=share)
    merchant.paid_order()

    headers, body = notify.wait(1)[0]

    expected = PUBLIC_KEY_ID if share else serial_of(keys / "platform.pem")
    assert headers["wechatpay-serial"] == expected
    assert merchant.verifies(headers, body)
    assert json.loads(body)["event_type"] == "TRANSACTION.SUCCESS"
