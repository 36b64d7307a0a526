"""Callers of CDS Hooks: a key pair, the file that names its owner, and tokens, right ones and wrong ones."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ISSUER, KEY_ID = "https://his.example", "key-1"


class Caller:
    """Who signs with a key of her own."""

    def __init__(self, issuer: str = ISSUER, key_id: str = KEY_ID) -> None:
        self.issuer, self.key_id = issuer, key_id
        self.key = ec.generate_private_key(ec.SECP384R1())

    @property
    def pem(self) -> str:
        """Her private key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def named_in(self, file: Path) -> Path:
        """A file that names her as the only one who may call."""
        found = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        listed = {
            "iss": self.issuer,
            "jwks": {"keys": [{**found, "kid": self.key_id, "alg": "ES384", "use": "sig"}]},
        }
        file.write_text(json.dumps({"issuers": [listed]}), encoding="utf-8")
        return file

    def token(self, audience: str, now: datetime, **changes: Any) -> str:
        """Good for three minutes; `changes` spoil a claim, None leaves it out."""
        claims = {
            "iss": self.issuer, "aud": audience, "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=3)).timestamp()), "jti": uuid4().hex, **changes,
        }  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.key, algorithm="ES384", headers={"kid": self.key_id})
