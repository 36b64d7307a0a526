"""All generated secrets of one installation, made once: `<data>/secrets/keys.json`, mode 0600, PEM files beside it.

Passwords of the embedded stores are in `passwords.py`, certificates of the zones in `certificates.py`. A value that is
there is never changed; one that a newer version asks for is added.
"""

import secrets
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from foundation.clock import Clock
from foundation.suites.key_files import sm2_pem
from standalone.failure import StoreError
from standalone.paths import DataFolder, write_private
from standalone.wechat_keys import WechatFiles, make_files

DIGITS = string.digits
LETTERS = string.ascii_letters + string.digits


def _hex(size: int) -> Callable[[], str]:
    return lambda: secrets.token_hex(size)


def _text(alphabet: str, length: int, prefix: str = "") -> Callable[[], str]:
    return lambda: prefix + "".join(secrets.choice(alphabet) for _ in range(length))


def _sm2_key() -> str:
    import gmssl_pyx

    public, private = gmssl_pyx.sm2_key_generate()
    return bytes(private + public).hex()


def _made(make: Callable[[], Any]) -> Any:
    return msgspec.field(default_factory=make)


class Secret(msgspec.Struct, frozen=True):
    """Shows nothing of itself in a log or a traceback."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class FieldKeys(Secret, frozen=True):
    """Keys of encrypted columns by id (hex, 32 bytes each), the id for new values, the key of the blind index (hex)."""

    keys: dict[str, str] = _made(lambda: {"k1": secrets.token_hex(32)})
    current: str = "k1"
    index_key: str = _made(_hex(32))

    def as_setting(self) -> str:
        """`FIELD_KEYS`: `id:hex,id:hex`."""
        return ",".join(f"{name}:{key}" for name, key in self.keys.items())


class AppKey(Secret, frozen=True):
    """Key id and secret of one side of a signed interface."""

    key: str = _made(_text(LETTERS, 20))
    secret: str = _made(_hex(32))


class Wechat(Secret, frozen=True):
    """As WeChat would have given them; the demonstration's own, good for its mock only."""

    appid: str = _made(_text("0123456789abcdef", 16, "wx"))
    secret: str = _made(_hex(16))
    mchid: str = _made(_text(DIGITS, 9, "1"))
    apiv3_key: str = _made(_text(LETTERS, 32))
    public_key_id: str = _made(_text(DIGITS, 28, "PUB_KEY_ID_"))


class Platform(Secret, frozen=True):
    """What the city platform gives a hospital: SM4 key (`app_secret`) and IV are 16 bytes in hex.

    `signing` is the hospital's own key for platforms that want one: 32 bytes over SM2 and its point of 64, in hex.
    """

    unit_id: str = _made(_text(DIGITS, 8, "DEMO"))
    app_key: str = _made(_text(DIGITS, 8))
    app_secret: str = _made(_hex(16))
    iv: str = _made(_hex(16))
    signing: str = _made(_sm2_key)

    @property
    def signing_public(self) -> str:
        """The uncompressed point, as a platform registers it."""
        return "04" + self.signing[64:]


class Keys(Secret, frozen=True):
    """Everything in keys.json. Each side that encrypts fields has its own keys."""

    hospital: FieldKeys = _made(FieldKeys)
    regulator: FieldKeys = _made(FieldKeys)
    session_key: str = _made(_hex(32))
    ticket_key: str = _made(_hex(32))
    wechat: Wechat = _made(Wechat)
    identity: AppKey = _made(AppKey)
    ca: AppKey = _made(AppKey)
    courier: AppKey = _made(AppKey)
    courier_callback: AppKey = _made(AppKey)
    insurance: AppKey = _made(AppKey)
    ebill: AppKey = _made(AppKey)
    epc: AppKey = _made(AppKey)
    sms: AppKey = _made(AppKey)
    platform: Platform = _made(Platform)


def ensure(folder: DataFolder) -> tuple[Keys, WechatFiles]:
    """The installation's keys and the PEM files of the payment interface. Raises StoreError when they cannot be read."""
    file = _file(folder)
    keys = _read(file) if file.exists() else Keys()
    # Written again when a newer version added a value; the values that were there stay.
    content = msgspec.json.format(msgspec.json.encode(keys), indent=1)
    if not file.exists() or file.read_bytes() != content:
        write_private(file, content)
    signing = signing_file(folder)
    if not signing.exists():
        private, public = (
            bytes.fromhex(keys.platform.signing[:64]),
            bytes.fromhex(keys.platform.signing_public),
        )
        write_private(signing, sm2_pem(private, public))
    return keys, make_files(folder.secrets / "wechat", keys.wechat.mchid, Clock().now())


def signing_file(folder: DataFolder) -> Path:
    """The key that signs towards platforms, as PEM."""
    return folder.secrets / "supervision-signing.pem"


def rotate(folder: DataFolder, side: str) -> FieldKeys:
    """A new key for the encrypted fields of `hospital` or `regulator`; old values still open with the old ones."""
    keys, _ = ensure(folder)
    old: FieldKeys = getattr(keys, side)
    number = 1 + max(int(name.removeprefix("k")) for name in old.keys if name.removeprefix("k").isdigit())
    new = FieldKeys({**old.keys, f"k{number}": secrets.token_hex(32)}, f"k{number}", old.index_key)
    changed = msgspec.structs.replace(keys, **{side: new})
    write_private(_file(folder), msgspec.json.format(msgspec.json.encode(changed), indent=1))
    return new


def _file(folder: DataFolder) -> Path:
    return folder.secrets / "keys.json"


def _read(file: Path) -> Keys:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Keys)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as problem:
        # Never made anew over a damaged file: what is encrypted with the old keys could not be read again.
        raise StoreError(f"{file} cannot be used: {problem}") from None
