from __future__ import annotations

from doctor.redaction import REDACTED, redact, remember, remember_environment, remember_url
from doctor.redaction.known import MOST, known_secrets


def test_what_was_configured_is_redacted_wherever_it_stands():
    remember_url("postgresql://autopack:tr0ub4dor&3x%21@db/runs?sslpassword=0ther-Pass!")
    shown = redact("it said tr0ub4dor&3x%21, tr0ub4dor&3x! and 0ther-Pass!")
    assert shown == f"it said {REDACTED}, {REDACTED} and {REDACTED}"


def test_variables_with_names_of_secrets_are_redacted():
    remember_environment(
        {"MY_API_KEY": "qwe-92-poiu", "CACHE": "redis://:zx-81-cvbn@h/0", "PWD": "/home/me-77-x"}
    )
    assert redact("a qwe-92-poiu b zx-81-cvbn c /home/me-77-x") == (
        f"a {REDACTED} b {REDACTED} c /home/me-77-x"
    )


def test_words_and_short_passwords_are_not_looked_for_everywhere():
    remember_url("postgresql://autopack:autopack@db/autopack")
    remember(("READY", "abc123", None, 12345678))
    assert redact("autopack is READY, abc123 12345678") == "autopack is READY, abc123 12345678"


def test_urls_without_secrets_are_harmless():
    before = known_secrets()
    for url in (None, "x", "sqlite:///a.db", "http://h:8000/a@b", "http://u@h/?a=1"):
        remember_url(url)
    assert known_secrets() == before


def test_only_so_many_are_remembered():
    remember(f"made-up-{number}" for number in range(MOST + 10))
    assert len(known_secrets()) == MOST
    assert redact(f"made-up-{MOST + 9}") == REDACTED
    assert redact("made-up-0") == "made-up-0"
