"""Names behind which a secret stands: of settings, columns, headers, JSON fields, variables."""

from __future__ import annotations

import re
from functools import lru_cache

# Found by plain search in lower case text; whether the whole name around one is a secret's is
# decided by ``is_secret_name``.
WORDS = (
    *("passw", "pwd", "passphrase", "secret", "token", "credential", "authorization", "cookie"),
    *("apikey", "api_key", "api-key", "accesskey", "access_key", "access-key"),
    *("privatekey", "private_key", "private-key", "accountkey", "account_key", "account-key"),
    *("signingkey", "signing_key", "signing-key", "encryption_key", "encryptionkey"),
    *("master_key", "masterkey", "auth_key", "authkey", "sharedaccess", "service_key"),
    *("session_key", "sessionid", "sessid", "csrf", "xsrf", "signature", "sig="),
    *("connection_string", "connectionstring", "license_key", "webhook_url"),
)
_STRONG = frozenset(
    (
        *("password", "passwd", "passwort", "pwd", "passphrase", "secret", "cookie"),
        *("authorization", "credential", "credentials", "apikey", "accesskey", "privatekey"),
        *("accountkey", "signingkey", "encryptionkey", "masterkey", "authkey", "secretkey"),
        *("pgpassword", "sharedaccesskey", "sharedaccesssignature", "servicekey", "sessionkey"),
        *("licensekey", "webhookurl", "connectionstring", "clientsecret", "requirepass"),
    )
)
_WEAK = frozenset(("token", "csrf", "xsrf", "sessionid", "sessid", "phpsessid", "jsessionid"))
_SIGNED = frozenset(("sig", "amzsignature", "googsignature"))
_KEYS = frozenset(
    (
        *("api", "access", "private", "account", "signing", "encryption", "master", "auth"),
        *("secret", "service", "session", "license", "shared"),
    )
)
_TAILS = frozenset(("value", "plain", "plaintext", "text", "b64", "base64", "hash", "old", "new"))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PARTS = re.compile(r"[^A-Za-z0-9]+")
_LONGEST = 80


def is_secret_name(name: str) -> bool:
    """Tell whether what stands behind a name is a secret: ``db_password``, ``X-Api-Key``."""
    return strength(name) > 0


def is_folder(name: str, value: str) -> bool:
    """Tell whether it is the working directory that a shell calls PWD, and no password."""
    return name.lower().endswith("pwd") and value.startswith(("/", "~", "."))


@lru_cache(4096)
def strength(name: str) -> int:
    """Return 2 for a name that always means a secret, 1 for one that often does, else 0."""
    if len(name) > _LONGEST:
        return 0
    parts = [one.lower() for one in _PARTS.split(_CAMEL.sub("_", name)) if one]
    while len(parts) > 1 and (parts[-1] in _TAILS or parts[-1].isdigit()):
        parts.pop()
    if not parts:
        return 0
    last = parts[-1].rstrip("0123456789")
    two = "".join(parts[-2:])
    if last in _STRONG or two in _STRONG or last.endswith(("password", "passwd", "secret")):
        return 2
    if last in ("key", "string", "url") and len(parts) > 1:
        return 2 if parts[-2] in _KEYS and last == "key" else 0
    if last in _WEAK or two in _SIGNED or last in _SIGNED or last.endswith("token"):
        return 1
    return 0
