"""What the standards print must come out: GB/T 32905 (SM3), 32907 (SM4), 32918 (SM2), FIPS 180-4, SP 800-38A, RFC 6979."""

from typing import ClassVar

import gmssl_pyx
from asn1crypto import core

from foundation.suites import suite
from foundation.suites.commercial import COMMERCIAL
from foundation.suites.international import INTERNATIONAL
from simulators.supervision import envelope_keys

# GB/T 32918.5-2017, annexes A and C: the key pair on the recommended curve and what is made with it.
SM2_PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
SM2_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SM2_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
SM2_MESSAGE = b"message digest"


def test_sm3_gives_the_digests_of_the_standard() -> None:
    """GB/T 32905-2016, annex A."""
    assert (
        COMMERCIAL.digest(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    assert (
        COMMERCIAL.digest(b"abcd" * 16).hex()
        == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


def test_sm4_gives_the_cipher_text_of_the_standard() -> None:
    """GB/T 32907-2016, annex A.1; CBC of one block with an IV of zeros is the block alone."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")

    assert COMMERCIAL.cipher(key).encrypt_blocks(key, bytes(16)).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gives_the_cipher_text_of_the_standard_after_a_million_times() -> None:
    """GB/T 32907-2016, annex A.2: each cipher text is the next plain text, which is what CBC over zeros does."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    whole = COMMERCIAL.cipher(key).encrypt_blocks(bytes(16 * 1_000_000), key)

    assert whole[-16:].hex() == "595298c7c6fd271f0402f804c33d3f66"


def test_sm2_knows_the_signature_of_the_standard() -> None:
    """GB/T 32918.5-2017, annex A.2: id 1234567812345678."""
    assert COMMERCIAL.verify(SM2_PUBLIC, SM2_MESSAGE, SM2_SIGNATURE)
    assert not COMMERCIAL.verify(SM2_PUBLIC, SM2_MESSAGE + b".", SM2_SIGNATURE)
    assert not COMMERCIAL.verify(SM2_PUBLIC, SM2_MESSAGE, SM2_SIGNATURE[32:] + SM2_SIGNATURE[:32])


def test_the_other_side_knows_the_signature_of_the_standard_too() -> None:
    assert envelope_keys.sm2_holds(SM2_PUBLIC, SM2_MESSAGE, SM2_SIGNATURE)
    assert not envelope_keys.sm2_holds(SM2_PUBLIC, SM2_MESSAGE[:-1], SM2_SIGNATURE)


def test_sm2_opens_the_cipher_text_of_the_standard() -> None:
    """GB/T 32918.5-2017, annex C: C1 ‖ C3 ‖ C2 as GM/T 0009 writes it. No interface of ours encrypts with SM2; the library is tried."""

    class CipherText(core.Sequence):  # type: ignore[misc]
        _fields: ClassVar[list[tuple[str, type]]] = [
            ("x", core.Integer), ("y", core.Integer), ("hash", core.OctetString), ("text", core.OctetString),
        ]  # fmt: skip

    sealed = CipherText(
        {
            "x": 0x04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73,
            "y": 0xE858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0,
            "hash": bytes.fromhex("59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"),
            "text": bytes.fromhex("21886ca989ca9c7d58087307ca93092d651efa"),
        }
    )

    assert gmssl_pyx.sm2_decrypt(SM2_PRIVATE, sealed.dump()) == b"encryption standard"


def test_sha_256_gives_the_digest_of_the_standard() -> None:
    """FIPS 180-4, example one."""
    assert (
        INTERNATIONAL.digest(b"abc").hex()
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_aes_gives_the_cipher_text_of_the_standard() -> None:
    """SP 800-38A, F.2.1: CBC-AES128, the first two blocks."""
    key, iv = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), bytes(range(16))
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")

    assert INTERNATIONAL.cipher(key).encrypt_blocks(plain, iv).hex() == (
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
    )


def test_ecdsa_knows_the_signature_of_the_rfc() -> None:
    """RFC 6979, A.2.5, SHA-256, "sample"."""
    public = bytes.fromhex(
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    )
    signature = bytes.fromhex(
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    )

    assert INTERNATIONAL.verify(public, b"sample", signature)
    assert not INTERNATIONAL.verify(public, b"Sample", signature)


def test_a_suite_is_asked_for_by_its_name() -> None:
    assert (suite("commercial").signing, suite("international").signing) == ("SM2-SM3", "ECDSA-P256-SHA256")
