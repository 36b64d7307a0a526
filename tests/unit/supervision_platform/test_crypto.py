import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from simulators.supervision.crypto import NotHexError, WrongKeyError, decrypt, sm3_upper, unpad
from tests.unit.supervision_platform.sender import IV, SECRET, encrypt

KEY_BYTES, IV_BYTES = bytes.fromhex(SECRET), bytes.fromhex(IV)


def test_sm3_gives_the_published_value() -> None:
    assert sm3_upper(b"abc") == "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0"


def test_sm4_gives_the_published_value() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")

    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()

    assert encryptor.update(key).hex() == "681edf34d206965e86b3e94f536e4246"


@given(st.text(max_size=200))
def test_what_was_encrypted_is_read_again(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()

    assert decrypt(encrypt(text.encode()), KEY_BYTES, IV_BYTES) == text


def test_a_plain_text_of_whole_blocks_gets_a_block_of_padding() -> None:
    body = encrypt(b"0123456789abcdef")

    assert len(body) == 64
    assert decrypt(body, KEY_BYTES, IV_BYTES) == "0123456789abcdef"


def test_zeros_that_end_a_text_are_not_taken_for_padding() -> None:
    assert unpad(b"ab\x00\x00\x80" + bytes(11)) == b"ab\x00\x00"


@pytest.mark.parametrize("padded", [b"", bytes(16), b"a" * 16, b"\x80" + bytes(16), b"a" * 15 + b"\x10"])
def test_other_paddings_are_refused(padded: bytes) -> None:
    with pytest.raises(WrongKeyError):
        unpad(padded)


@pytest.mark.parametrize("body", [b"", b"00", b"AB" * 16, b"zz" * 16, b"ab" * 15, b"ab" * 16 + b"\n"])
def test_a_body_must_be_lower_case_hex_of_whole_blocks(body: bytes) -> None:
    with pytest.raises(NotHexError):
        decrypt(body, KEY_BYTES, IV_BYTES)
