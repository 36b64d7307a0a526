"""Keys come from files or from a security module, and sign alike."""

import os
import subprocess
import sys
from pathlib import Path

import gmssl_pyx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from foundation.suites import WrongPaddingError, signer, suite
from foundation.suites.key_files import sm2_pem
from foundation.suites.port import pad, seal, unpad, unseal
from foundation.suites.secret_keys import KeyInMemory, secret_key
from tests.unit.suites.tokens import MODULE, Token, token

SUITES = ("commercial", "international")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A key of each suite as PEM."""
    folder = tmp_path_factory.mktemp("keys")
    public, private = gmssl_pyx.sm2_key_generate()
    (folder / "sm2.pem").write_bytes(sm2_pem(private, b"\x04" + public))
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "p256.pem").write_bytes(pem)
    return {"commercial": str(folder / "sm2.pem"), "international": str(folder / "p256.pem")}


@pytest.fixture(scope="module")
def module_token() -> Token:
    """A software security module with one key of each kind."""
    return token()


@pytest.mark.parametrize("name", SUITES)
def test_a_key_in_a_file_signs_what_its_suite_verifies(name: str, files: dict[str, str]) -> None:
    key, its = signer(files[name]), suite(name)
    signature = key.sign("张三，处方一".encode())

    assert (key.algorithm, len(signature), len(key.public)) == (its.signing, 64, 65)
    assert its.verify(key.public, "张三，处方一".encode(), signature)
    assert not its.verify(key.public, "张三，处方二".encode(), signature)


def test_neither_suite_takes_the_others_signature(files: dict[str, str]) -> None:
    one, other = (signer(files[name]) for name in SUITES)

    assert not suite("commercial").verify(other.public, b"x", other.sign(b"x"))
    assert not suite("international").verify(one.public, b"x", one.sign(b"x"))


def test_a_key_made_by_openssl_is_read(tmp_path: Path) -> None:
    made = tmp_path / "made.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "SM2", "-out", str(made)], check=True, capture_output=True
    )
    key = signer(str(made))

    assert suite("commercial").verify(key.public, b"x", key.sign(b"x"))


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_refused_without_showing_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)

    with pytest.raises(ValueError, match=r"key\.pem is no private key") as refused:
        signer(str(file))

    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("name", SUITES)
@given(
    plain=st.binary(max_size=100),
    key=st.binary(min_size=16, max_size=16),
    iv=st.binary(min_size=16, max_size=16),
)
def test_what_is_sealed_comes_back(name: str, plain: bytes, key: bytes, iv: bytes) -> None:
    cipher = suite(name).cipher(key)

    assert unseal(cipher, seal(cipher, plain, iv), iv) == plain
    assert unpad(pad(plain)) == plain


@pytest.mark.parametrize("name", SUITES)
@given(signature=st.binary(max_size=80), public=st.binary(max_size=70))
def test_nothing_malformed_verifies_or_raises(name: str, signature: bytes, public: bytes) -> None:
    assert not suite(name).verify(public, b"x", signature)


def test_a_signature_of_nothing_but_zeros_is_none(files: dict[str, str]) -> None:
    for name in SUITES:
        assert not suite(name).verify(signer(files[name]).public, b"x", bytes(64))


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 16"):
        suite("commercial").cipher(bytes(15))


def test_a_key_in_a_module_signs_what_its_suite_verifies(module_token: Token) -> None:
    key = signer(module_token.uri("sign"), module_token.pin, MODULE)
    signature = key.sign("张三".encode())

    assert suite("international").verify(key.public, "张三".encode(), signature)
    assert not suite("international").verify(key.public, "李四".encode(), signature)


def test_a_key_in_a_module_encrypts_as_one_in_memory_does(module_token: Token) -> None:
    iv, international = os.urandom(16), suite("international")
    key = secret_key(module_token.uri("seal"), module_token.pin, MODULE)
    inside = key.cipher(international)
    outside = suite("international").cipher(module_token.aes)

    sealed = seal(inside, "姓名".encode(), iv)

    assert sealed == seal(outside, "姓名".encode(), iv)
    assert unseal(inside, sealed, iv).decode() == "姓名"
    with pytest.raises(WrongPaddingError):
        unseal(suite("international").cipher(bytes(16)), sealed, iv)
    with pytest.raises(ValueError, match="AES"):
        key.cipher(suite("commercial"))


def test_a_module_keeps_a_key_of_sm4_although_it_cannot_use_it(module_token: Token) -> None:
    kept = secret_key(module_token.uri("kept"), module_token.pin, MODULE)

    assert kept == KeyInMemory(module_token.aes)
    with pytest.raises(ValueError, match="pkcs11:"):
        secret_key(module_token.uri("none"), module_token.pin, MODULE)


@pytest.mark.parametrize("name", SUITES)
def test_a_secret_key_is_digits_or_a_file_of_them(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0f" * 16 + "\n", encoding="ascii")
    iv, one = bytes(16), suite(name)

    sealed = {
        seal(secret_key(place).cipher(one), b"x", iv) for place in ("0f" * 16, str(tmp_path / "secret"))
    }

    assert sealed == {seal(one.cipher(b"\x0f" * 16), b"x", iv)}


def test_a_keys_cipher_is_made_once() -> None:
    key = KeyInMemory(os.urandom(16))

    assert key.cipher(suite("commercial")) is key.cipher(suite("commercial"))
    assert key.cipher(suite("commercial")) is not key.cipher(suite("international"))


@pytest.mark.parametrize("wrong", ["", "0f" * 15, "0f0", "0g" * 16, "/nowhere/secret", "\0"])
def test_a_secret_key_with_a_slip_is_refused_and_not_shown(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"expected 16|hex") as refused:
        secret_key(wrong)

    assert not wrong or wrong not in str(refused.value)


def test_a_key_that_everybody_knows_is_told() -> None:
    assert all(
        secret_key(known).example for known in ("00" * 16, "0123456789ABCDEFFEDCBA9876543210", "ff" * 16)
    )
    assert not KeyInMemory(os.urandom(16)).example
    assert "f" * 8 not in repr(secret_key("ff" * 16))


@pytest.mark.parametrize(
    "wrong", ["pkcs11:token=none;object=sign", "pkcs11:token=test;object=none", "pkcs11:object=sign"]
)
def test_a_key_that_no_module_has_is_refused_in_one_line(module_token: Token, wrong: str) -> None:
    with pytest.raises(ValueError, match="pkcs11:") as refused:
        signer(wrong, module_token.pin, MODULE)

    assert module_token.pin not in str(refused.value)


def test_a_wrong_pin_is_refused(module_token: Token) -> None:
    """By the module in a process that never logged in, and by us in one that did."""
    code = f"from foundation.suites import signer; signer({module_token.uri('sign')!r}, '0000', {MODULE!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "PinIncorrect" in done.stderr
    with pytest.raises(ValueError, match="PinIncorrect"):
        signer(module_token.uri("sign"), "0000", MODULE)
