"""Cryptographic suites behind one port: the commercial one (国密: SM2, SM3, SM4) and the international one (ECDSA P-256, SHA-256, AES).

`port` says what a suite, a cipher with its key and a signer are; `commercial` and `international` are the two suites; `key_files`,
`secret_keys` and `hardware` are where keys come from: settings, files, or a security module by PKCS#11. Whoever needs a suite asks `suite(name)`, whoever needs
a key asks `signer(location)`, and neither knows which library answers.
"""

from foundation.suites.port import Cipher, Signer, Suite, WrongPaddingError

__all__ = ["Cipher", "Signer", "Suite", "WrongPaddingError", "signer", "suite"]


def suite(name: str) -> Suite:
    """`commercial` or `international`; `ValueError` for another."""
    if name == "commercial":
        from foundation.suites.commercial import COMMERCIAL

        return COMMERCIAL
    if name == "international":
        from foundation.suites.international import INTERNATIONAL

        return INTERNATIONAL
    raise ValueError(f"no suite {name!r}: commercial or international")


def signer(location: str, pin: str = "", module: str = "") -> Signer:
    """The key at `location`: the path of a PEM file (PKCS#8), or `pkcs11:token=…;object=…` in the security module whose library is `module`.

    Which suite it belongs to the key itself says. `ValueError` in one line when there is no such key.
    """
    if location.startswith("pkcs11:"):
        from foundation.suites.hardware import open_signer

        return open_signer(location, pin, module)
    from foundation.suites.key_files import read_signer

    return read_signer(location)
