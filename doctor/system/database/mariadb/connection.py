"""A connection of PyMySQL that makes its TLS context once."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

from pymysql.connections import Connection


class QuickConnection(Connection):
    """Where nothing is said of TLS, it is used if the server has it, and nobody is verified.

    PyMySQL reads all certificates of the machine for that, at every connection: most of its time.
    """

    def _create_ssl_ctx(self, sslp: Any) -> Any:
        return _unverified() if sslp == {} else super()._create_ssl_ctx(sslp)  # type: ignore[misc]


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
