"""What goes through the pipe: a length in four bytes, then that much JSON. Both sides use it."""

from __future__ import annotations

from typing import Any

HEAD = 4
REPLY_CAP = 64 * 1024


def pack(document: dict[str, Any]) -> bytes:
    """Return the frame of a document."""
    import json

    body = json.dumps(document, separators=(",", ":")).encode()
    return len(body).to_bytes(HEAD, "big") + body


def take(buffer: bytearray, cap: int = REPLY_CAP) -> dict[str, Any] | None:
    """Remove the first whole frame from the buffer; None while there is none.

    Raises:
        ValueError: the frame is longer than ``cap`` or holds no JSON object.
    """
    if len(buffer) < HEAD:
        return None
    size = int.from_bytes(buffer[:HEAD], "big")
    if size > cap:
        raise ValueError(f"a frame of {size} bytes is too long")
    if len(buffer) < HEAD + size:
        return None
    import json

    body = bytes(buffer[HEAD : HEAD + size])
    del buffer[: HEAD + size]
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("the frame is nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("the frame holds no object")  # noqa: TRY004 - what came is wrong
    return document
