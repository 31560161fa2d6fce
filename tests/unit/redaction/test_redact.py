from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctor.redaction import REDACTED, is_secret_name, may_hold_secrets, redact, redact_value
from tests.support.paths import CORPUS
from tests.support.planted import SHAPES, planted

ROUNDS = 20
HARMLESS = (
    "runs.state of build127-phase1-self-healing-governance holds 'READY', not one of QUEUED",
    "plan 3b9c2f47a1d6e8f09b7c5d4e3f2a1b0c: SAFE, costs 1 point(s)",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 by me",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "id 550e8400-e29b-41d4-a716-446655440000, fix F-7f3a9c2e, incident I-00ff17aa",
    "JSONDecodeError: Unexpected token: } in line 4",
    "max_tokens: 4096, tokens=128000, token_count=12, prompt_tokens: 77",
    "password is required",
    "password='' is empty",
    "PWD=/srv/app-77/work OLDPWD: /srv/app-77",
    "password: must not be empty",
    "api_key=None, token=null, secret: str = Field()",
    "api_key=os.environ['X'], token=self._token, password=${DB_PASSWORD}",
    "Bearer authentication required",
    "Basic authentication failed",
    "http://127.0.0.1:8000/runs/a@b?limit=10&cursor=abc",
    "sqlite:////var/lib/x/runs.db",
    "task-runner sk-learn-based-model-with-a-long-name",
    "disk-usage 80%, risk-assessment-2024-Q1-Report-Final",
    "src/autopack/secrets/token_store.py:42 in refresh_token",
    "the secret_name 'autopack-db' is not there",
    "PHASE_EXECUTION -> DONE_FAILED_BUDGET_EXHAUSTED",
    "tokenizer: cl100k_base, credentials_file: /etc/x.json",
    "signature: def run(self, state: RunState) -> None",
)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_redacted_in_text_in_json_and_twice(shape):
    for number in range(ROUNDS):
        secret, text = planted(f"unit {number}")[shape]
        sql = "'" + text.replace("'", "''") + "'"
        for one in (text, f"x {text} y", json.dumps({"m": text}), repr(text), sql):
            shown = redact(one)
            assert secret not in shown, one
            assert redact(shown) == shown
            assert may_hold_secrets(one)
        document = {"a": [{"message": text}], "b": text.encode()}
        assert secret not in str(redact_value(document))


def test_there_are_forty_shapes_at_least(figure):
    figure(f"shapes of secrets that are redacted: {len(SHAPES)}")
    assert len(SHAPES) >= 40


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text
    assert redact(json.dumps({"message": text})) == json.dumps({"message": text})


@pytest.mark.slow
@pytest.mark.corpus
def test_of_real_logs_only_what_is_a_secret_is_redacted(figure):
    if not CORPUS.exists():
        pytest.skip(f"the shared corpus is not at {CORPUS}")
    lines, changed = 0, []
    for file in sorted((CORPUS / "logs").iterdir()):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            lines += 1
            if redact(line) != line:
                changed.append((file.name, redact(line)))
    figure(f"lines of real logs {lines:,}, redacted {len(changed)}: one DSN with its password")
    assert [(name, shown.partition("'")[2]) for name, shown in changed] == [
        ("phase3_final_fix.log", f"postgresql://autopack:{REDACTED}@localhost:5432/autopack'")
    ]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *((one, True) for one in ("password", "DB_PASSWORD", "apiKey", "X-Api-Key", "auth_token")),
        *((one, True) for one in ("clientSecret", "Set-Cookie", "secret_key_2", "password_hash")),
        *((one, False) for one in ("state", "tokens", "token_count", "key", "primary_key", "url")),
        *((one, False) for one in ("secretary", "id", "author", "sign", "", "a" * 100)),
    ],
)
def test_names_of_secrets_are_told_from_others(name, is_one):
    assert is_secret_name(name) is is_one


def test_values_behind_names_of_secrets_are_redacted_in_documents():
    document = {
        "password": "x",
        "pin_secret": 1234,
        "nested": [{"token": "READY"}, {"state": "READY"}],
        "none": {"password": None, "secret": True, "api_key": ""},
        "cell": {"column": "password", "value": "ab", "expected": b"cd", "table": "users"},
        ("a", 1): 1.5,
    }
    assert redact_value(document) == {
        "password": REDACTED,
        "pin_secret": REDACTED,
        "nested": [{"token": REDACTED}, {"state": "READY"}],
        "none": {"password": None, "secret": True, "api_key": ""},
        "cell": {"column": "password", "value": REDACTED, "expected": REDACTED.encode()}
        | {"table": "users"},
        ("a", 1): 1.5,
    }


@given(st.text())
def test_redacting_twice_changes_nothing_more(text):
    shown = redact(text)
    assert redact(shown) == shown
    if not may_hold_secrets(text):
        assert shown == text


PIECES = """://|a://b:|-----BEGIN PRIVATE KEY-----|password=|password: '|sk-|token|eyJ|eyJa.eyJ
Bearer |basic |kind: Secret data: |curl -u |SG.|sv=&sig=|machine a login |$2b$
İpassword=|secret_|cookie: |AKIA|\\\\'|mysql -p|secretpassword|X-Amz-|identified by '|-us1|pat|:AA
""".replace("\n", "|").split("|")


@pytest.mark.parametrize("piece", [one for one in PIECES if one])
def test_hostile_text_takes_time_that_grows_with_its_length(piece):
    def seconds(size: int) -> float:
        text = (piece * (size // len(piece) + 1))[:size]
        start = time.process_time()
        redact(text)
        return time.process_time() - start

    seconds(1000)
    small, large = seconds(4_000), seconds(32_000)
    assert large < max(0.1, 30 * small), (small, large)
