"""A software security module for tests: Debian's softhsm2 with a token of its own in a temporary folder."""

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pkcs11
import pytest

from tools import servers

MODULE = str(servers.place(servers.SOFTHSM))
LABEL = "test"


@dataclass(frozen=True)
class Token:
    """Keys `sign` (P-256) and `seal` (AES, whose bytes are known); `kept` has the same bytes as a generic secret."""

    pin: str
    aes: bytes = field(repr=False)

    def uri(self, name: str) -> str:
        """Where a key is."""
        return f"pkcs11:token={LABEL};object={name}"


@cache
def token() -> Token:
    """Skipped where the module is not installed. The library reads its settings once, so one token serves a process."""
    if lacks := servers.lacks(servers.SOFTHSM):
        pytest.skip(lacks)
    folder = Path(tempfile.mkdtemp(prefix="token-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = folder / "softhsm2.conf"
    (folder / "tokens").mkdir()
    settings.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(settings)
    made = Token("314159", os.urandom(16))
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        LABEL,
        "--pin",
        made.pin,
        "--so-pin",
        "271828",
    ]
    subprocess.run(command, check=True, capture_output=True)
    with pkcs11.lib(MODULE).get_token(token_label=LABEL).open(rw=True, user_pin=made.pin) as session:
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC,
            {pkcs11.Attribute.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters("secp256r1")},
            local=True,
        )
        parameters.generate_keypair(store=True, label="sign")
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
                pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.AES,
                pkcs11.Attribute.LABEL: "seal",
                pkcs11.Attribute.VALUE: made.aes,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.ENCRYPT: True,
                pkcs11.Attribute.DECRYPT: True,
            }
        )
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
                pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.GENERIC_SECRET,
                pkcs11.Attribute.LABEL: "kept",
                pkcs11.Attribute.VALUE: made.aes,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.PRIVATE: True,
                pkcs11.Attribute.SENSITIVE: False,
                pkcs11.Attribute.EXTRACTABLE: True,
            }
        )
    return made
