"""Where things are. What lies outside of the repository may be absent."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
CORPUS = SHARED / "corpus"
