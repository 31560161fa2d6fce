"""Secrets of every shape, made up here and in no way anybody's: each with the text it stands in.

``planted(number)`` gives other letters to every sink, so that a find names the sink that leaked.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

Maker = Callable[[random.Random], tuple[str, str]]

_LETTERS = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"


def _letters(chance: random.Random, count: int, of: str = _LETTERS) -> str:
    made = "".join(chance.choice(of) for _ in range(count - 3))
    return made + ("a1Z" if of is _LETTERS else "".join(chance.choice(of) for _ in range(3)))


def _begins(start: str, count: int, of: str = _LETTERS) -> Maker:
    def make(chance: random.Random) -> tuple[str, str]:
        secret = start + _letters(chance, count, of)
        return secret, f"call with {secret} failed"

    return make


def _behind(text: str, count: int = 24, of: str = _LETTERS) -> Maker:
    def make(chance: random.Random) -> tuple[str, str]:
        secret = _letters(chance, count, of)
        return secret, text.replace("%", secret)

    return make


def _jwt(chance: random.Random) -> tuple[str, str]:
    parts = [_letters(chance, many) for many in (24, 40, 43)]
    secret = f"eyJ{parts[0]}.eyJ{parts[1]}.{parts[2]}"
    return secret, f"sent {secret} to the server"


def _pem(chance: random.Random) -> tuple[str, str]:
    body = _letters(chance, 64)
    kind = chance.choice(["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY"])
    return body, f"-----BEGIN {kind}-----\\n{body}\\n-----END {kind}-----"


def _basic(chance: random.Random) -> tuple[str, str]:
    secret = base64.b64encode(f"svc:{_letters(chance, 16)}".encode()).decode()
    return secret, f"request had Basic {secret}"


def _kubernetes(chance: random.Random) -> tuple[str, str]:
    secret = base64.b64encode(_letters(chance, 18).encode()).decode()
    return secret, f'{{"kind":"Secret","data":{{"value":"{secret}"}}}}'


def _telegram(chance: random.Random) -> tuple[str, str]:
    secret = f"{chance.randrange(10**8, 10**9)}:AA{_letters(chance, 33)}"
    return secret, f"bot {secret} is unauthorised"


SHAPES: dict[str, Maker] = {
    "AWS access key": _begins("AKIA", 16, string.ascii_uppercase + string.digits),
    "AWS secret key": _behind("aws_secret_access_key = %", 40),
    "AWS signature": _behind("GET /x?X-Amz-Signature=%", 64, _HEX),
    "GitHub": _begins("ghp_", 36),
    "GitHub fine": _begins("github_pat_", 60),
    "GitLab": _begins("glpat-", 20),
    "Slack bot": _begins("xoxb-", 40),
    "Slack webhook": _begins("hooks.slack.com/services/T00/B00/", 24),
    "Discord webhook": _begins("discord.com/api/webhooks/123/", 60),
    "Telegram": _telegram,
    "Stripe": _begins("sk_live_", 24),
    "Stripe webhook": _begins("whsec_", 32),
    "SendGrid": _begins("SG.", 66),
    "npm": _begins("npm_", 36),
    "PyPI": _begins("pypi-AgEIcHlwaS5vcmc", 60),
    "Docker": _begins("dckr_pat_", 27),
    "OpenAI": _begins("sk-proj-", 48),
    "OpenAI old": _begins("sk-", 48),
    "Anthropic": _begins("sk-ant-api03-", 80),
    "Google API": _begins("AIza", 35),
    "Google OAuth": _begins("ya29.", 60),
    "JWT": _jwt,
    "PEM": _pem,
    "DSN": _behind("postgresql://autopack:%@db.example:5432/runs"),
    "DSN without user": _behind("redis://:%@cache.example:6379/0"),
    "Azure": _behind("AccountName=x;AccountKey=%==;Suffix=y", 86),
    "Azure SAS": _behind("https://x.example/c?sv=2024&sig=%"),
    "Bearer": _behind("Authorization: Bearer %"),
    "bearer in prose": _behind("sent bearer % and got 401"),
    "Basic": _basic,
    "Cookie": _behind("Cookie: session=%; path=/"),
    "Set-Cookie": _behind("'set-cookie': 'sid=%; HttpOnly'"),
    "DigitalOcean": _begins("dop_v1_", 64, _HEX),
    "Vault": _begins("hvs.", 90),
    "Hugging Face": _begins("hf_", 34, string.ascii_letters),
    "Shopify": _begins("shpat_", 32, _HEX),
    "Kubernetes": _kubernetes,
    "password": _behind('{"db_password": "%"}', 12),
    "password in code": _behind("connect(password='%', user='x')", 9),
    "API key": _behind("X-Api-Key: %"),
    "client secret": _behind("clientSecret=%&grant_type=x"),
    "token": _behind("refresh_token=%"),
    "environment": _behind("export PGPASSWORD=%", 14),
    "netrc": _behind("machine h.example login me password %", 14),
    "curl": _behind("curl -s -u deploy:% https://h.example", 14),
    "Twilio": _begins("SK", 32, _HEX),
}


def planted(sink: str) -> dict[str, tuple[str, str]]:
    """Return (secret, text with it) by shape for one sink; always the same ones."""
    chance = random.Random(sink)
    return {name: make(chance) for name, make in SHAPES.items()}
