from __future__ import annotations

import pytest

from doctor.redaction import known


@pytest.fixture(autouse=True)
def _nothing_stays_known():
    before = dict(known._KNOWN)
    yield
    known._KNOWN.clear()
    known._KNOWN.update(before)
