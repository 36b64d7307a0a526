"""Every byte counts: a notification or an answer with one byte changed anywhere is refused."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from backend.outside.wechat_pay_crypto import NotWeChat, Probe, Stale, verify

KEY = generate_private_key(65537, 2048)
NOW = int(datetime(2026, 11, 20, 1, 10, tzinfo=UTC).timestamp())
BODY = '{"id":"EV-1","resource":{"ciphertext":"…","nonce":"abcdefghijkl"},"summary":"支付成功"}'.encode()
HEADERS = {"wechatpay-timestamp": str(NOW), "wechatpay-nonce": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"}


def signed(body: bytes, headers: Mapping[str, str] = HEADERS) -> dict[str, str]:
    message = f"{headers['wechatpay-timestamp']}\n{headers['wechatpay-nonce']}\n".encode() + body + b"\n"
    signature = KEY.sign(message, PKCS1v15(), SHA256())
    return {**headers, "wechatpay-signature": base64.b64encode(signature).decode()}


TRUE = signed(BODY)


def test_what_was_not_changed_is_believed() -> None:
    verify(KEY.public_key(), TRUE, BODY, NOW)


@given(place=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
def test_a_changed_byte_of_the_body_is_seen(place: int, flip: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= flip

    with pytest.raises(NotWeChat):
        verify(KEY.public_key(), TRUE, bytes(changed), NOW)


@given(body=st.binary(max_size=200))
def test_another_body_is_seen(body: bytes) -> None:
    if body != BODY:
        with pytest.raises(NotWeChat):
            verify(KEY.public_key(), TRUE, body, NOW)


@given(place=st.integers(0, 255), flip=st.integers(1, 255))
def test_a_changed_byte_of_the_signature_is_seen(place: int, flip: int) -> None:
    raw = bytearray(base64.b64decode(TRUE["wechatpay-signature"]))
    raw[place] ^= flip
    changed = TRUE | {"wechatpay-signature": base64.b64encode(bytes(raw)).decode()}

    with pytest.raises(NotWeChat):
        verify(KEY.public_key(), changed, BODY, NOW)


@given(text=st.text(max_size=400))
def test_any_text_in_place_of_the_signature_is_refused_and_never_an_error_of_ours(text: str) -> None:
    with pytest.raises(NotWeChat):
        verify(KEY.public_key(), TRUE | {"wechatpay-signature": text}, BODY, NOW)


@given(seconds=st.integers(-299, 299).filter(bool))
def test_a_changed_time_is_seen_though_it_would_be_fresh(seconds: int) -> None:
    changed = TRUE | {"wechatpay-timestamp": str(NOW + seconds)}

    with pytest.raises(NotWeChat, match="wrong signature"):
        verify(KEY.public_key(), changed, BODY, NOW)


@given(text=st.text(max_size=20).filter(lambda text: text != str(NOW)))
def test_any_text_in_place_of_the_time_is_refused(text: str) -> None:
    with pytest.raises(NotWeChat):
        verify(KEY.public_key(), TRUE | {"wechatpay-timestamp": text}, BODY, NOW)


@given(text=st.text(max_size=40).filter(lambda text: text != HEADERS["wechatpay-nonce"]))
def test_a_changed_nonce_is_seen(text: str) -> None:
    with pytest.raises(NotWeChat):
        verify(KEY.public_key(), TRUE | {"wechatpay-nonce": text}, BODY, NOW)


@given(moved=st.integers(0, 40))
def test_a_line_break_cannot_be_moved_between_the_parts(moved: int) -> None:
    """Nonce and body are signed with a line break between them: a body that begins elsewhere is another message."""
    nonce, body = HEADERS["wechatpay-nonce"], BODY
    joined = nonce.encode() + b"\n" + body
    other = joined[: len(nonce) + moved + 1].decode("utf-8", "ignore").rstrip("\n")
    rest = joined[len(nonce) + moved + 1 :]
    if other != nonce:
        with pytest.raises(NotWeChat):
            verify(KEY.public_key(), TRUE | {"wechatpay-nonce": other}, rest, NOW)


@pytest.mark.parametrize(
    ("seconds", "kind"), [(299, None), (300, Stale), (-299, None), (-300, Stale), (86_400, Stale)]
)
def test_what_is_rightly_signed_and_five_minutes_off_is_stale(
    seconds: int, kind: type[Exception] | None
) -> None:
    """wechatpayv3 takes one of yesterday; wechatpay-go and we do not."""
    call: Callable[[], None] = lambda: verify(KEY.public_key(), TRUE, BODY, NOW + seconds)  # noqa: E731
    if kind is None:
        call()
        return
    with pytest.raises(kind):
        call()


@given(rest=st.text(max_size=300))
def test_a_probe_is_known_as_one_and_refused(rest: str) -> None:
    with pytest.raises(Probe):
        verify(KEY.public_key(), TRUE | {"wechatpay-signature": f"WECHATPAY/SIGNTEST/{rest}"}, BODY, NOW)
