"""A bounded HTTP client of one origin.

An HTTP library's timeout restarts with every byte; here one deadline covers connecting, sending,
headers and body, and the body is cut at a cap. Redirects are never followed.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from urllib.parse import urlsplit

from doctor.errors import SourceError, UsageError
from doctor.model.ports import Response

DEADLINE = 3.0
BODY_CAP = 1 << 20


class BoundedApi:
    """GETs paths of one origin, each within ``deadline`` seconds and ``cap`` bytes of body."""

    def __init__(self, url: str, *, deadline: float = DEADLINE, cap: int = BODY_CAP):
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UsageError(f"{url!r} is not an API address: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"{url!r} is not an API address", hint="write it as http://127.0.0.1:8000"
            )
        self._host = parts.hostname
        self._port = port or (443 if parts.scheme == "https" else 80)
        self._tls = parts.scheme == "https"
        self._base = parts.path.rstrip("/")
        self._deadline = deadline
        self._cap = cap
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.origin = f"{parts.scheme}://{shown}:{self._port}"

    def get(self, path: str) -> Response:
        """Send one GET; raise SourceError when there is no usable answer in time."""
        until = time.monotonic() + self._deadline
        try:
            return self._exchange(path, until)
        except ConnectionRefusedError:
            raise SourceError(
                f"{self.origin} refuses connections", hint="start the API, or fix its address"
            ) from None
        except TimeoutError:
            raise SourceError(
                f"{self.origin} did not answer GET {path} within {self._deadline:g} s"
            ) from None
        except (http.client.HTTPException, ValueError) as error:
            raise SourceError(
                f"{self.origin} sent no valid HTTP answer to GET {path}: {type(error).__name__}"
            ) from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(f"GET {path} at {self.origin} failed: {reason}") from None

    def _exchange(self, path: str, until: float) -> Response:
        if any(ord(letter) <= ord(" ") or ord(letter) > ord("~") for letter in path):
            raise SourceError(f"{path!r} is not a path that can be asked for")
        with self._connect(until) as connection:
            host = self.origin.split("//", 1)[1]
            request = (
                f"GET {self._base}{path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
                "User-Agent: doctor\r\nConnection: close\r\n\r\n"
            )
            connection.settimeout(_left(until))
            connection.sendall(request.encode("ascii"))
            answer = http.client.HTTPResponse(_Stream(connection, until), method="GET")  # type: ignore[arg-type]
            with answer:
                answer.begin()
                body = _read(answer, self._cap + 1)
            text = body[: self._cap].decode("utf-8", errors="replace")
            return Response(answer.status, text, truncated=len(body) > self._cap)

    def _connect(self, until: float) -> socket.socket:
        plain = socket.create_connection((self._host, self._port), timeout=_left(until))
        if not self._tls:
            return plain
        plain.settimeout(_left(until))
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self._host)


def _read(answer: http.client.HTTPResponse, cap: int) -> bytes:
    parts = bytearray()
    while len(parts) < cap:
        part = answer.read1(min(cap - len(parts), 65_536))
        if not part:
            break
        parts += part
    return bytes(parts)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Stream(io.RawIOBase):
    """The socket as HTTPResponse wants it, with the deadline re-armed before every read."""

    def __init__(self, connection: socket.socket, until: float):
        self._connection = connection
        self._until = until

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(_left(self._until))
        return self._connection.recv_into(buffer)
