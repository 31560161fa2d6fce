"""A bounded HTTP client of one origin.

An HTTP library's timeout restarts with every byte; here one deadline covers connecting, sending,
headers and body, and the body is cut at a cap. Redirects are never followed.
"""

from __future__ import annotations

import base64
import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from doctor.errors import SourceError, UsageError
from doctor.model.ports import Response

DEADLINE = 3.0
BODY_CAP = 1 << 20
_PRINTABLE = re.compile(r"[!-~]+")
_WITHOUT_LOGIN = re.compile(r"//.*@")


class BoundedApi:
    """GETs paths of one origin, each within ``deadline`` seconds and ``cap`` bytes of body."""

    def __init__(self, url: str, *, deadline: float = DEADLINE, cap: int = BODY_CAP):
        parts, port = _parts(url)
        self._host = parts.hostname or ""
        self._port = port
        self._tls = parts.scheme == "https"
        self._base = parts.path.rstrip("/")
        self._login = _login(parts)
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
        except ssl.SSLError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(f"{self.origin} cannot be reached by TLS: {reason}") from None
        except (http.client.HTTPException, ValueError) as error:
            raise SourceError(
                f"{self.origin} sent no valid HTTP answer to GET {path}: {type(error).__name__}"
            ) from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(f"GET {path} at {self.origin} failed: {reason}") from None

    def _exchange(self, path: str, until: float) -> Response:
        if not path.startswith("/") or not _PRINTABLE.fullmatch(path):
            raise SourceError(f"{path!r} is not a path that can be asked for")
        with self._connect(until) as connection:
            host = self.origin.split("//", 1)[1]
            request = (
                f"GET {self._base}{path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
                f"Accept-Encoding: identity\r\nUser-Agent: doctor\r\n{self._login}"
                "Connection: close\r\n\r\n"
            )
            connection.settimeout(_left(until))
            connection.sendall(request.encode("ascii"))
            answer = http.client.HTTPResponse(_Stream(connection, until), method="GET")  # type: ignore[arg-type]
            with answer:
                answer.begin()
                body = _read(answer, self._cap)
            return Response(answer.status, body.decode("utf-8", errors="replace"))

    def _connect(self, until: float) -> socket.socket:
        plain = self._dial(until)
        if not self._tls:
            return plain
        try:
            context = ssl.create_default_context()
            plain.settimeout(_left(until))
            return context.wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise

    def _dial(self, until: float) -> socket.socket:
        """Connect to the first address that answers; all of them share the one deadline."""
        refusal: OSError | None = None
        for family, kind, protocol, _, address in _addresses(self._host, self._port, until):
            plain = socket.socket(family, kind, protocol)
            try:
                plain.settimeout(_left(until))
                plain.connect(address)
            except OSError as error:
                plain.close()
                refusal = error
            else:
                return plain
        raise refusal or TimeoutError


def _addresses(host: str, port: int, until: float) -> list[Any]:
    """Return the addresses of ``host``; a name server that hangs cannot hold the deadline up."""
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_left(until))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _parts(url: str) -> tuple[SplitResult, int]:
    shown = _WITHOUT_LOGIN.sub("//", url)
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise UsageError(f"{shown!r} is not an API address: {error}") from None
    is_origin = parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
    if not is_origin or parts.query or parts.fragment or not _PRINTABLE.fullmatch(url):
        raise UsageError(
            f"{shown!r} is not an API address", hint="write it as http://127.0.0.1:8000"
        )
    return parts, port or (443 if parts.scheme == "https" else 80)


def _login(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"


def _read(answer: http.client.HTTPResponse, cap: int) -> bytes:
    if not answer.chunked:
        body = answer.read(cap)
        if len(body) < cap and answer.length:
            raise http.client.IncompleteRead(body)
        return body
    parts = bytearray()
    while len(parts) < cap and (part := answer.read1(min(cap - len(parts), 65_536))):
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
