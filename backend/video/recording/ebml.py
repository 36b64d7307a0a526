"""Just enough EBML (RFC 8794) to write a Matroska file whose sizes are known beforehand."""

import struct


def size_of(length: int, width: int = 0) -> bytes:
    """A data size, in as few bytes as it takes or in `width`."""
    needed = next(count for count in range(1, 9) if length < (1 << 7 * count) - 1)
    width = width or needed
    if width < needed:
        raise ValueError(f"{length} does not fit into {width} bytes")
    return ((1 << 7 * width) | length).to_bytes(width, "big")


def element(identity: int, *parts: bytes) -> bytes:
    """An element of given content."""
    content = b"".join(parts)
    return head(identity, len(content)) + content


def head(identity: int, length: int, width: int = 0) -> bytes:
    """Id and size of an element whose content follows."""
    return identity.to_bytes((identity.bit_length() + 7) // 8, "big") + size_of(length, width)


def unsigned(identity: int, value: int, width: int = 0) -> bytes:
    """An unsigned integer, in `width` bytes when its element must not change its size."""
    return element(identity, value.to_bytes(width or max(1, (value.bit_length() + 7) // 8), "big"))


def real(identity: int, value: float) -> bytes:
    """A float of eight bytes."""
    return element(identity, struct.pack(">d", value))


def text(identity: int, value: str) -> bytes:
    """A string."""
    return element(identity, value.encode())
