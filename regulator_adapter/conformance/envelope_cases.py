"""Cases about the envelope: padding, encryption, signature, freshness, rights. Most say which outer code must come."""

import secrets
from uuid import uuid4

from regulator_adapter.city_wire import Message
from regulator_adapter.conformance.kit import Differs, Kit, NotTried, accepted, outer

TOO_OLD = 3_600_000


async def whole_blocks(kit: Kit) -> None:
    """A plain text of whole blocks gets a block of padding, and is read again."""
    method = kit.simplest()
    record = await kit.good(method.name)
    for filler in range(16):
        body = kit.sealed([record]) if not filler else _padded_by(kit, record, filler)
        if len(body) % 32 == 0 and (filler or len(body) // 2 % 16 == 0):
            accepted(await kit.post(kit.envelope(method.name, body)), kit.profile)
            record = await kit.good(method.name)


def _padded_by(kit: Kit, record: dict[str, object], spaces: int) -> bytes:
    """The same list with `spaces` behind it: JSON does not mind, and every length modulo 16 comes up."""
    import json

    plain = json.dumps([record], ensure_ascii=False, separators=(",", ":")).encode() + b" " * spaces
    return _closed(kit, plain)


def _closed(kit: Kit, plain: bytes, padding: bytes | None = None) -> bytes:
    from foundation.suites.port import pad

    cipher = kit.credentials.key.cipher(kit.profile.suite)
    padded = pad(plain) if padding is None else plain + padding
    return cipher.encrypt_blocks(padded, kit.credentials.iv).hex().encode()


async def other_padding(kit: Kit) -> None:
    """PKCS#7, which most libraries do by themselves, is not this padding."""
    plain = b"[]" + b" " * 8
    outer(await _raw(kit, _closed(kit, plain, bytes([6]) * 6)), 40004)


async def no_padding(kit: Kit) -> None:
    """Whole blocks without any padding."""
    outer(await _raw(kit, _closed(kit, b"[" + b" " * 14 + b"]", b"")), 40004)


async def another_key(kit: Kit) -> None:
    """Encrypted with a key that is not this hospital's."""
    cipher = kit.profile.suite.cipher(secrets.token_bytes(16))
    outer(
        await _raw(kit, cipher.encrypt_blocks(b"[]\x80" + bytes(13), kit.credentials.iv).hex().encode()),
        40004,
    )


async def upper_case(kit: Kit) -> None:
    """The cipher text is lower-case hex."""
    outer(await _raw(kit, kit.sealed([]).upper().replace(b"0", b"A")), 40001, 40004)


async def not_hex(kit: Kit) -> None:
    """A body that was not encrypted at all."""
    outer(await _raw(kit, b'[{"bussID":"1"}]'), 40001)


async def no_array(kit: Kit) -> None:
    """The plain text is an array, an object is none."""
    outer(await _raw(kit, kit.sealed({})), 40001)


async def wrong_digest(kit: Kit) -> None:
    """`X-Content-MD5` is of the bytes that are sent."""
    message = kit.envelope(kit.simplest().name, kit.sealed([]))
    outer(await kit.post(Message(message.headers, kit.sealed([{}]), message.digest)), 40010)


async def wrong_signature(kit: Kit) -> None:
    """A signature over something else."""
    message = kit.envelope(kit.simplest().name, kit.sealed([]))
    other = kit.envelope(kit.simplest().name, kit.sealed([{}]))
    outer(await kit.post(message, x_ca_signature=other.headers["x-ca-signature"]), 40010)


async def changed_header(kit: Kit) -> None:
    """A header that was changed after signing."""
    names = list(kit.profile.methods)
    message = kit.envelope(names[0], kit.sealed([]))
    outer(await kit.post(message, x_service_method=names[-1]), 40010)


async def unknown_key(kit: Kit) -> None:
    """An appKey nobody was given."""
    outer(await kit.send(kit.simplest().name, [], x_ca_key=f"none-{uuid4().hex[:8]}"), 40002)


async def missing_header(kit: Kit) -> None:
    """Without a nonce, and the answer names it."""
    said = await kit.post(kit.envelope(kit.simplest().name, kit.sealed([])), x_ca_nonce=None)
    outer(said, 40001)
    if "nonce" not in said.outer_text.lower():
        raise Differs(f"expected the header's name, got {said}")


async def too_old(kit: Kit) -> None:
    """A time stamp of an hour ago."""
    outer(await kit.send(kit.simplest().name, [], x_ca_timestamp=str(_now(kit) - TOO_OLD)), 40011)


async def too_new(kit: Kit) -> None:
    """A time stamp of an hour from now."""
    outer(await kit.send(kit.simplest().name, [], x_ca_timestamp=str(_now(kit) + TOO_OLD)), 40011)


async def same_nonce(kit: Kit) -> None:
    """A message again as it was: its nonce was used."""
    method = kit.simplest()
    message = kit.envelope(method.name, kit.sealed([await kit.good(method.name)]))
    accepted(await kit.post(message), kit.profile)
    outer(await kit.post(message), 40011)


async def unknown_method(kit: Kit) -> None:
    """A method nobody has a right to."""
    outer(await kit.send("uploadNothing", []), 40006)


async def unlisted_address(kit: Kit) -> None:
    """From an address that is not on the list."""
    if not kit.options.unlisted:
        raise NotTried("needs a second address of this machine (--unlisted-address)")
    message = kit.envelope(kit.simplest().name, kit.sealed([]))
    outer(await kit.post(message, source=kit.options.unlisted), 40007)


async def _raw(kit: Kit, body: bytes):  # type: ignore[no-untyped-def]
    return await kit.post(kit.envelope(kit.simplest().name, body))


def _now(kit: Kit) -> int:
    return int(kit.clock.now().timestamp() * 1000)
