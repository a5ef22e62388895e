"""The user's image, embedded: PNG and JPEG, checked as far as a picture needs it to be drawn."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from archspec.errors import ArchspecError

LARGEST = 20 * 2**20  # bytes
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MEASURED = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG's segments that begin an image


def data_uri(path: str | Path) -> str:
    """A PNG or JPEG file as a data URI; raises ArchspecError where it cannot be read or is no whole image."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArchspecError(
            "unreadable", f"cannot read {path}: {reason}", hint="check its name and permissions"
        ) from None
    if len(content) > LARGEST:
        raise _wrong(path, f"it is larger than {LARGEST // 2**20} MiB")
    if content.startswith(PNG):
        kind, whole = "png", _is_png(content)
    elif content.startswith(JPEG):
        kind, whole = "jpeg", _is_jpeg(content)
    else:
        raise _wrong(path, "it is neither PNG nor JPEG")
    if not whole:
        raise _wrong(path, "it is damaged or cut off")
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def _wrong(path: Path, reason: str) -> ArchspecError:
    return ArchspecError("image", f"{path} cannot be drawn: {reason}", hint="a PNG or JPEG file")


def _is_png(content: bytes) -> bool:
    """Whether all chunks are whole, from a header with a size to the end mark."""
    kinds = []
    for kind, body, check in _chunks(content):
        if zlib.crc32(kind + body) != check:
            return False
        kinds.append(kind)
        if kind == b"IHDR" and (len(body) != 13 or 0 in struct.unpack(">II", body[:8])):
            return False
    return kinds[:1] == [b"IHDR"] and b"IDAT" in kinds and kinds[-1:] == [b"IEND"]


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    at = len(PNG)
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 8 + length
        yield kind, content[at + 8 : end], int.from_bytes(content[end : end + 4]) if end + 4 <= len(content) else -1
        at = end + 4
        if kind == b"IEND":
            return


def _is_jpeg(content: bytes) -> bool:
    """Whether the segments lead to one with a size, and the file to its end mark."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        kind, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if kind in MEASURED:
            return content[at + 5 : at + 7] != b"\0\0" != content[at + 7 : at + 9] and b"\xff\xd9" in content[at:]
        at += 2 + length
    return False
