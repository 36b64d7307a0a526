"""Opening and closing envelopes: SM4-ECB with PKCS#7 in hex, SM3 over the sorted fields and the secret.

The key is the secret encrypted under the first 16 bytes of the id, of its upper-case hex the first 16 letters.
"""

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TOLERANCE_MS = 300_000
FIELDS = ("appId", "encData", "encType", "signType", "timestamp", "version")


class Sealed(Exception):
    """The envelope is not what it must be; `code` as on the wire."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(code)
        self.code, self.words = code, words


class Envelope:
    def __init__(self, app_id: str, secret: str) -> None:
        self._app_id, self._secret = app_id, secret
        self._key = app_id.encode()[:16]
        self._key = self._encrypt(secret.encode())[:16].encode()

    def open(self, raw: bytes, now_ms: int) -> dict[str, Any]:
        """What is inside. Raises Sealed."""
        try:
            outer = json.loads(raw)
            fields = {name: outer[name] for name in FIELDS}
            given = outer["signData"]
        except (ValueError, KeyError, TypeError):
            raise Sealed("A0001", "报文缺少字段") from None
        if not all(isinstance(value, str) for value in (*fields.values(), given)):
            raise Sealed("A0001", "字段类型不正确")
        if fields["appId"] != self._app_id or fields["encType"] != "SM4" or fields["signType"] != "SM3":
            raise Sealed("A0002", "appId、encType 或 signType 不正确")
        if not fields["timestamp"].isdigit() or abs(now_ms - int(fields["timestamp"])) > TOLERANCE_MS:
            raise Sealed("A0003", "请求已过期")
        if given != self.sign(fields):
            raise Sealed("A0004", "验签失败")
        try:
            inner = json.loads(self._decrypt(fields["encData"]))
        except ValueError:
            raise Sealed("A0005", "解密失败") from None
        if not isinstance(inner, dict):
            raise Sealed("A0005", "业务数据应为对象")
        return inner

    def close(self, body: dict[str, Any], now_ms: int) -> dict[str, Any]:
        """A successful answer."""
        told = {
            "encData": self._encrypt(json.dumps(body, ensure_ascii=False).encode()),
            "timestamp": str(now_ms),
        }
        return {"success": True, "code": "0", "message": "成功", **told, "signData": self.sign(told)}

    def sign(self, fields: dict[str, str]) -> str:
        """Base64 of SM3."""
        text = "&".join(f"{name}={fields[name]}" for name in sorted(fields)) + f"&key={self._secret}"
        return base64.b64encode(hashlib.new("sm3", text.encode()).digest()).decode()

    def _encrypt(self, plain: bytes) -> str:
        missing = 16 - len(plain) % 16
        engine = Cipher(algorithms.SM4(self._key), modes.ECB()).encryptor()  # noqa: S305 -- the interface's own mode
        return engine.update(plain + bytes([missing]) * missing).hex().upper()

    def _decrypt(self, text: str) -> bytes:
        cipher = bytes.fromhex(text)
        if not cipher or len(cipher) % 16:
            raise ValueError("not whole blocks")
        engine = Cipher(algorithms.SM4(self._key), modes.ECB()).decryptor()  # noqa: S305 -- the interface's own mode
        plain = engine.update(cipher)
        if not 1 <= plain[-1] <= 16 or plain[-plain[-1] :] != bytes([plain[-1]]) * plain[-1]:
            raise ValueError("wrong padding")
        return plain[: -plain[-1]]
