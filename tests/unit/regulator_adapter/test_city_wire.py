import json
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from foundation.suites.secret_keys import KeyInMemory
from regulator_adapter.city_wire import (
    Credentials,
    WrongPaddingError,
    decrypt,
    encrypt,
    pad,
    seal,
    signature,
    sm3,
    unpad,
)

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
CREDENTIALS = Credentials("app-1", KeyInMemory(KEY), bytes(range(16)))


def test_sm3_gives_the_digests_of_the_standard() -> None:
    """GB/T 32905-2016, annex A."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_sm4_gives_the_cipher_text_of_the_standard() -> None:
    """GB/T 32907-2016, annex A.1: the key over itself."""
    encryptor = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor()
    assert encryptor.update(KEY).hex() == "681edf34d206965e86b3e94f536e4246"


def test_cbc_gives_the_cipher_text_of_the_published_example() -> None:
    """draft-ribose-cfrg-sm4, A.2.3; what follows its two blocks is the block of padding."""
    plain = bytes.fromhex("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbb")
    sealed = encrypt(plain, CREDENTIALS)

    assert sealed[:32].hex() == "78ebb11cc40b0a48312aaeb2040244cb4cb7016951909226979b0d15dc6a8f6d"
    assert len(sealed) == 48


@pytest.mark.parametrize(("length", "padded"), [(0, 16), (1, 16), (15, 16), (16, 32), (17, 32)])
def test_padding_is_80_and_zeros_and_at_least_one_byte(length: int, padded: int) -> None:
    made = pad(b"x" * length)

    assert len(made) == padded
    assert made[length] == 0x80
    assert not any(made[length + 1 :])


@given(st.binary(max_size=200))
def test_what_is_padded_and_encrypted_comes_back(plain: bytes) -> None:
    assert unpad(pad(plain)) == plain
    assert decrypt(encrypt(plain, CREDENTIALS), CREDENTIALS) == plain


@pytest.mark.parametrize("padded", [b"", b"x" * 16, bytes(16), b"\x80" + bytes(16)])
def test_wrong_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(WrongPaddingError):
        unpad(padded)


def test_another_key_or_half_a_block_does_not_decrypt() -> None:
    sealed = encrypt("姓名".encode(), CREDENTIALS)

    with pytest.raises(WrongPaddingError):
        decrypt(sealed[:-1], CREDENTIALS)
    with pytest.raises(WrongPaddingError):
        decrypt(sealed, Credentials("app-1", KeyInMemory(b"y" * 16), CREDENTIALS.iv))


@pytest.mark.parametrize(("key", "iv"), [(b"short", bytes(16)), (bytes(16), b"short")])
def test_key_and_iv_have_sixteen_bytes(key: bytes, iv: bytes) -> None:
    with pytest.raises(ValueError, match="expected 16"):
        Credentials("app-1", KeyInMemory(key), iv)


def test_a_message_is_lower_case_hex_with_the_digest_of_what_is_sent() -> None:
    message = seal(
        [{"bussID": "1", "patientName": "沈秀英"}], CREDENTIALS,
        service="his.provinceDataUploadService", method="uploadAppointRecord", nonce=UUID(int=7), millis=1795000000123,
    )  # fmt: skip

    assert message.body == message.body.lower()
    assert json.loads(decrypt(bytes.fromhex(message.body.decode()), CREDENTIALS)) == [
        {"bussID": "1", "patientName": "沈秀英"}
    ]
    assert message.headers["X-Content-MD5"] == sm3(message.body).hex().upper() == message.digest
    assert message.headers["Content-Type"] == "application/json"


def test_the_signature_covers_six_headers_in_order_and_no_secret() -> None:
    message = seal([], CREDENTIALS, service="s", method="m", nonce=UUID(int=7), millis=12)
    text = (
        "x-ca-key:app-1&x-ca-nonce:00000000-0000-0000-0000-000000000007&x-ca-timestamp:12"
        f"&x-content-md5:{message.digest}&x-service-id:s&x-service-method:m"
    )

    assert message.headers["X-Ca-Signature"] == sm3(text.encode()).hex().upper()
    assert message.headers["X-Ca-Signature-Headers"] == (
        "x-ca-key,x-ca-nonce,x-ca-timestamp,x-content-md5,x-service-id,x-service-method"
    )


def test_any_changed_header_changes_the_signature() -> None:
    names = ("x-ca-key", "x-ca-nonce", "x-ca-timestamp", "x-content-md5", "x-service-id", "x-service-method")
    values = dict.fromkeys(names, "a")

    assert len({signature(values | {name: "b"}) for name in names} | {signature(values)}) == 7


def test_the_secret_is_not_shown_when_printed() -> None:
    assert KEY.hex() not in repr(CREDENTIALS)
    assert repr(KEY) not in repr(CREDENTIALS)
