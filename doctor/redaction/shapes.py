"""Secrets that are known by their shape, each with a piece of text that always stands in it.

A pattern is tried only where its piece is found, so text without secrets costs one search a piece.
Every repetition is bounded or ends at the first letter that does not belong to it.
"""

from __future__ import annotations

# Made of letters, digits and these; the shape is a fixed beginning and how much must follow.
_WORD = r"[A-Za-z0-9]"
_URL = r"[A-Za-z0-9_\-]"
_DOTTED = r"[A-Za-z0-9_\-.]"
_HEX = r"[0-9a-fA-F]"
_NOT_INSIDE = r"(?<![A-Za-z0-9])"

_BEGINNINGS: tuple[tuple[str, str, int], ...] = (
    *((one, r"[A-Z0-9]", 16) for one in ("AKIA", "ASIA", "AROA", "AIDA", "ABIA", "ACCA")),
    *((f"gh{one}_", _WORD, 30) for one in "pousr"),
    ("github_pat_", r"\w", 22),
    *((f"gl{one}-", _DOTTED, 16) for one in ("pat", "dt", "rt", "cbt", "ptt", "oas", "soat", "ft")),
    *((f"xox{one}-", _URL, 10) for one in "abceoprs"),
    ("xapp-", _URL, 16),
    ("hooks.slack.com/services/", r"[A-Za-z0-9/]", 12),
    ("discord.com/api/webhooks/", r"[A-Za-z0-9_\-/]", 20),
    ("webhook.office.com/webhookb2/", r"[A-Za-z0-9_\-/@]", 20),
    *((f"{one}_{mode}_", _WORD, 10) for one in ("sk", "rk") for mode in ("live", "test")),
    ("whsec_", r"[A-Za-z0-9+/=]", 16),
    ("SG.", _DOTTED, 32),
    ("npm_", _WORD, 36),
    ("pypi-AgE", _URL, 16),
    ("rubygems_", _HEX, 40),
    ("dckr_pat_", _URL, 20),
    ("dckr_oat_", _URL, 20),
    ("HRKU-", _URL, 20),
    ("sk-ant-", _URL, 12),
    ("sk-proj-", _URL, 12),
    ("sk-svcacct-", _URL, 12),
    ("sk-or-v1-", _URL, 16),
    ("AIza", _URL, 30),
    ("GOCSPX-", _URL, 20),
    ("ya29.", _DOTTED, 16),
    ("eyJ", r"[A-Za-z0-9_\-]{4,4000}\.eyJ[A-Za-z0-9_\-]{2,4000}\.?[A-Za-z0-9_\-]", 0),
    *((f"do{one}_v1_", _HEX, 40) for one in "por"),
    *((f"shp{one}_", _HEX, 28) for one in ("at", "ss", "ca", "pa")),
    *((one, _URL, 20) for one in ("sq0atp-", "sq0csp-", "EAAAE", "EAACEdEose0cBA")),
    *((f"hv{one}.", _URL, 20) for one in "sbr"),
    ("dapi", _HEX, 32),
    ("lin_api_", _WORD, 30),
    ("ntn_", _WORD, 40),
    ("secret_", _WORD, 40),
    ("figd_", _URL, 30),
    ("figo_", _URL, 30),
    ("glsa_", r"\w", 30),
    ("glc_", r"[A-Za-z0-9+/=]", 30),
    ("NRAK-", r"[A-Z0-9]", 20),
    ("sntrys_", r"[A-Za-z0-9+/=_]", 30),
    ("sntryu_", _HEX, 40),
    ("hf_", r"[A-Za-z]", 30),
    ("r8_", _WORD, 30),
    ("gsk_", _WORD, 40),
    ("xai-", _WORD, 40),
    ("pplx-", _WORD, 40),
    ("PMAK-", r"[0-9a-f\-]", 30),
    ("pscale_tkn_", _DOTTED, 28),
    ("pscale_pw_", _DOTTED, 28),
    ("pscale_oauth_", _DOTTED, 28),
    ("sbp_", _HEX, 40),
    ("dp.pt.", _WORD, 36),
    ("dp.st.", _DOTTED, 36),
    ("AGE-SECRET-KEY-1", r"[A-Z0-9]", 40),
    ("bkua_", _HEX, 36),
    ("CCIPAT_", r"\w", 30),
    ("FlyV1 ", r"[A-Za-z0-9_\-+/=,]", 20),
    ("fo1_", _URL, 40),
    ("ATATT3x", r"[A-Za-z0-9_\-=]", 30),
    ("ATCTT3x", r"[A-Za-z0-9_\-=]", 30),
    ("dt0c01.", _DOTTED, 60),
    ("sk.eyJ", _DOTTED, 20),
    ("pul-", _HEX, 40),
    ("CFPAT-", _URL, 30),
    ("ops_eyJ", _URL, 40),
    ("AKCp", _WORD, 50),
    ("shippo_live_", _HEX, 30),
    ("tfp_", r"\w", 40),
    ("rnd_", _WORD, 28),
    ("key-", r"[0-9a-f]", 32),
    ("SSWS ", _URL, 20),
    ("PuTTY-User-Key-File-", r"[^\0]", 20),
)

_PEM = (
    r"-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|PGP MESSAGE)[A-Z ]{0,20}-----"
    r"(?:[A-Za-z0-9+/=\s:,.\-]|\\{1,8}[nr])*?"
    r"(?:-----END [A-Z0-9 ]{0,60}-----|(?=[^A-Za-z0-9+/=\s:,.\-\\])|\Z)"
)
_SK = (
    r"(?<![A-Za-z0-9])sk-(?=[A-Za-z0-9_\-]{0,100}\d)(?=[A-Za-z0-9_\-]{0,100}[A-Z])"
    r"(?=[A-Za-z0-9_\-]{0,100}[a-z])[A-Za-z0-9_\-]{20,300}"
)

# (piece, pattern, group): the group is what is taken out, 0 for all that matches.
_WHOLE: tuple[tuple[str, str, int], ...] = (
    (
        "-----BEGIN ",
        _PEM,
        0,
    ),
    # A password may hold @: the last one before the host counts.
    ("://", r"://[^\s:/@'\"<>]{0,200}:([^\s/'\"<>]{1,300})@", 1),
    ("://", r"://([A-Za-z0-9_\-]{20,300})@", 1),
    ("earer", r"[Bb]earer\s{1,4}(?=[A-Za-z0-9._~+/=\-]{0,200}\d)([A-Za-z0-9._~+/=\-]{8,4000})", 1),
    ("EARER", r"BEARER\s{1,4}(?=[A-Za-z0-9._~+/=\-]{0,200}\d)([A-Za-z0-9._~+/=\-]{8,4000})", 1),
    (":AA", r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_\-]{32,36}", 0),
    ("SK", r"(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![0-9a-f])", 0),
    ("-us", r"(?<![0-9a-f])[0-9a-f]{32}-us\d{1,2}(?!\d)", 0),
    (".atlasv1.", r"[A-Za-z0-9]{10,20}\.atlasv1\.[A-Za-z0-9_\-=]{40,100}", 0),
    ("pat", r"(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[0-9a-f]{64}", 0),
    (
        "sk-",
        _SK,
        0,
    ),
    ("$2", r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}", 0),
    ("$argon2", r"\$argon2[id]{1,2}\$[A-Za-z0-9+/=,$]{20,300}", 0),
    ("$6$", r"\$6\$[A-Za-z0-9./=,$]{20,200}", 0),
    ("sv=", r"[?&;]sig=([A-Za-z0-9%+/=_\-]{16,200})", 1),
    ("X-Amz-", r"X-Amz-(?:Signature|Credential|Security-Token)=([A-Za-z0-9%+/=_\-.]{8,2000})", 1),
    ("X-Goog-", r"X-Goog-(?:Signature|Credential)=([A-Za-z0-9%+/=_\-.]{8,2000})", 1),
    (
        "machine ",
        r"machine\s\S{1,200}\s{1,9}login\s\S{1,200}\s{1,9}password\s(\S{1,200})",
        1,
    ),
    ("curl", r"curl\b[^\n]{0,300}?\s(?:-u|--user)[ =]['\"]?[^\s:'\"]{1,100}:([^\s'\"]{1,200})", 1),
    ("mysql", r"mysql\w{0,9}\b[^\n]{0,300}?\s-p([^\s'\"]{4,200})", 1),
    ("identified by", r"identified by\s{1,4}(?:password\s{1,4})?'([^']{1,200})'", 1),
    ("IDENTIFIED BY", r"IDENTIFIED BY\s{1,4}(?:PASSWORD\s{1,4})?'([^']{1,200})'", 1),
)


def shapes() -> tuple[tuple[str, str, int], ...]:
    """Return (piece, pattern, group) of every shape."""
    made = []
    for start, letters, least in _BEGINNINGS:
        quoted = start.replace(".", r"\.")
        rest = f"{letters}{{{least},}}" if least else f"{letters}*"
        made.append((start, f"{_NOT_INSIDE}{quoted}{rest}", 0))
    return (*_WHOLE, *made)
