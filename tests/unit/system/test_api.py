from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import tracemalloc

import pytest

from doctor.errors import SourceError, UsageError
from doctor.model.ports import Response
from doctor.system.api import BoundedApi
from tests.support.ports import Serve, answering, read_request, server

DEADLINE = 0.3
LATEST = DEADLINE + 0.05

pytestmark = pytest.mark.alone


def forever(connection: socket.socket, part: bytes, pause: float = 0.0) -> None:
    stop = threading.Event()
    with contextlib.suppress(OSError):
        while not stop.wait(pause):
            connection.sendall(part)


def ask(serve: Serve, path: str = "/runs/1", *, cap: int = 1 << 20) -> Response | SourceError:
    """Return the answer or the error, and check that either came in time."""
    with server(serve) as port:
        api = BoundedApi(f"http://127.0.0.1:{port}", deadline=DEADLINE, cap=cap)
        before = time.monotonic()
        try:
            answer: Response | SourceError = api.get(path)
        except SourceError as error:
            answer = error
        took = time.monotonic() - before
    assert took <= LATEST
    return answer


def reason(serve: Serve, path: str = "/runs/1") -> str:
    answer = ask(serve, path)
    assert isinstance(answer, SourceError)
    return answer.message.partition("127.0.0.1:")[2].partition(" ")[2]


SILENT = "did not answer GET /runs/1 within 0.3 s"


def test_an_answer_comes_back_with_status_and_decoded_body():
    assert ask(answering(500, '{"detail": "ü"}'.encode())) == Response(500, '{"detail": "ü"}')


def test_a_port_that_nobody_listens_on_refuses():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceError) as caught:
        BoundedApi(f"http://127.0.0.1:{port}", deadline=DEADLINE).get("/")
    assert str(caught.value) == f"http://127.0.0.1:{port} refuses connections"
    assert caught.value.hint == "start the API, or fix its address"


def test_a_server_that_never_answers_is_given_up():
    assert reason(lambda one: forever(one, b"", 0.05)) == SILENT


def test_a_full_accept_queue_is_given_up():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
            waiting.append(one)
        port = listener.getsockname()[1]
        before = time.monotonic()
        with pytest.raises(SourceError, match=r"did not answer GET / within 0\.3 s"):
            BoundedApi(f"http://127.0.0.1:{port}", deadline=DEADLINE).get("/")
        assert time.monotonic() - before <= LATEST
        for one in waiting:
            one.close()


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        b"HTTP/1.1 100 Continue\r\nX: ",
    ],
)
def test_bytes_that_drip_do_not_move_the_deadline(start):
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(start)
        forever(connection, b"H", 0.02)

    assert reason(serve) == SILENT


def test_an_endless_body_is_cut_at_the_cap():
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        forever(connection, b"x" * 65_536)

    assert ask(serve, cap=100_000) == Response(200, "x" * 100_000)


def test_an_endless_chunked_body_is_cut_at_the_cap():
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        forever(connection, b"400\r\n" + b"x" * 1024 + b"\r\n")

    assert ask(serve, cap=5000) == Response(200, "x" * 5000)


def test_a_body_of_exactly_the_cap_is_whole():
    assert ask(answering(200, b"x" * 5000), cap=5000) == Response(200, "x" * 5000)


def test_a_length_that_lies_by_terabytes_costs_no_memory():
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n")
        forever(connection, b"x" * 65_536)

    tracemalloc.start()
    try:
        answer = ask(serve, cap=1 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer == Response(200, "x" * (1 << 20))
    assert peak < 16 << 20


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "LineTooLong"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "HTTPException"),
        (b"\x00\xff\xfe garbage\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 999999 no\r\n\r\n", "BadStatusLine"),
        (b"SSH-2.0-OpenSSH_9\r\n", "BadStatusLine"),
        (b"", "RemoteDisconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx", "IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nx", "IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nx", "IncompleteRead"),
    ],
)
def test_what_is_no_http_is_no_answer(answer, name):
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    assert reason(serve) == f"sent no valid HTTP answer to GET /runs/1: {name}"


def test_a_length_that_is_no_number_is_read_to_the_end():
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\nwhole")

    assert ask(serve) == Response(200, "whole")


def test_a_server_that_keeps_the_connection_open_is_not_waited_for():
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")
        connection.recv(1)

    assert ask(serve) == Response(200, "whole")


def test_a_reset_in_the_middle_of_the_body_is_no_answer():
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    answer = ask(serve)
    assert isinstance(answer, SourceError)
    assert "Connection reset by peer" in answer.message or "IncompleteRead" in answer.message


def test_a_redirect_is_an_answer_and_is_not_followed():
    asked: list[bytes] = []
    with server(answering(200, b"secret", asked)) as other:
        head = f"Location: http://127.0.0.1:{other}/\r\n".encode()
        assert ask(answering(302, b"", head=head)) == Response(302, "")
    assert asked == []


def test_a_flood_of_100_continue_ends_in_time():
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        forever(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    assert reason(serve) == SILENT


def test_one_100_continue_is_passed_over():
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")

    assert ask(serve) == Response(204, "")


def test_a_compressed_body_is_neither_asked_for_nor_unpacked():
    seen: list[bytes] = []
    packed = b"\x1f\x8b\x08\x00" + b"\xff" * 20
    answer = ask(answering(200, packed, seen, b"Content-Encoding: gzip\r\n"))
    assert answer == Response(200, packed.decode("utf-8", "replace"))
    assert b"\r\nAccept-Encoding: identity\r\n" in seen[0]


def test_the_request_is_one_get_of_the_path_below_the_base():
    seen: list[bytes] = []
    with server(answering(seen=seen)) as port:
        BoundedApi(f"http://127.0.0.1:{port}/api/v1/").get("/runs/a%20b")
    assert seen == [
        b"GET /api/v1/runs/a%20b HTTP/1.1\r\nHost: 127.0.0.1:"
        + str(port).encode()
        + b"\r\nAccept: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: doctor\r\n"
        b"Connection: close\r\n\r\n"
    ]


def test_a_name_and_password_are_sent_and_never_shown():
    seen: list[bytes] = []
    with server(answering(seen=seen)) as port:
        api = BoundedApi(f"http://me:p%40ss@127.0.0.1:{port}")
        api.get("/")
        assert api.origin == f"http://127.0.0.1:{port}"
    assert b"\r\nAuthorization: Basic bWU6cEBzcw==\r\n" in seen[0]


@pytest.mark.parametrize(
    "path",
    ["/a\r\nX: y", "/a\nb", "/a b", "/a\tb", "/ü", "/\x00", "/\x7f", "", "runs", "http://evil/"],
)
def test_a_path_that_would_change_the_request_is_never_sent(path):
    seen: list[bytes] = []
    answer = ask(answering(seen=seen), path)
    assert isinstance(answer, SourceError)
    assert answer.message == f"{path!r} is not a path that can be asked for"
    assert seen == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://host",
        "http://",
        "http://:80",
        "http://h:port",
        "http://h:99999",
        "http://h:0",
        "http://[::1",
        "http://h/a b",
        "http://h/\r\nX: y",
        "http://h/ü",
        "http://a..b",
        "http://" + "a" * 64,
        "http://h/?token=x",
        "http://h/#part",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError, match="is not an API address"):
        BoundedApi(url)


def test_a_refused_address_is_shown_without_its_password():
    with pytest.raises(UsageError) as caught:
        BoundedApi("ftp://me:secret@host")
    assert str(caught.value) == "'ftp://host' is not an API address"


def test_an_ipv6_host_is_asked_and_named_in_brackets():
    seen: list[bytes] = []
    try:
        with server(answering(seen=seen), "::1") as port:
            api = BoundedApi(f"http://[::1]:{port}")
            assert api.get("/") == Response(200, "{}")
    except OSError as error:
        pytest.skip(f"no IPv6 on loopback: {error}")
    assert api.origin == f"http://[::1]:{port}"
    assert f"\r\nHost: [::1]:{port}\r\n".encode() in seen[0]


def test_the_default_ports_are_those_of_the_schemes():
    assert BoundedApi("http://h").origin == "http://h:80"
    assert BoundedApi("https://h/x").origin == "https://h:443"


def test_a_host_without_an_address_fails_with_the_reason():
    with pytest.raises(SourceError, match=r"GET / at http://name\.invalid:80 failed: "):
        BoundedApi("http://name.invalid", deadline=2.0).get("/")


def test_a_name_server_that_hangs_does_not_move_the_deadline(monkeypatch):
    answered = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        answered.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    before = time.monotonic()
    with pytest.raises(SourceError, match="did not answer"):
        BoundedApi("http://slow.example", deadline=DEADLINE).get("/")
    assert time.monotonic() - before <= LATEST
    answered.set()


def test_every_address_of_a_host_is_tried_within_one_deadline(monkeypatch):
    with server(answering()) as port, socket.create_server(("127.0.0.1", 0)) as closed:
        closed_port = closed.getsockname()[1]
        closed.close()
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", one))
            for one in (closed_port, port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert BoundedApi("http://two.example").get("/") == Response(200, "{}")
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
        with pytest.raises(SourceError, match="did not answer"):
            BoundedApi("http://none.example").get("/")


def test_tls_with_a_server_that_speaks_plain_http_names_the_reason():
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with server(serve) as port:
        api = BoundedApi(f"https://127.0.0.1:{port}", deadline=2.0)
        with pytest.raises(SourceError, match=r"cannot be reached by TLS: \[SSL"):
            api.get("/")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls_with_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=h"]
    made = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass

    with server(serve) as port:
        api = BoundedApi(f"https://127.0.0.1:{port}", deadline=2.0)
        with pytest.raises(SourceError, match="certificate verify failed"):
            api.get("/")
