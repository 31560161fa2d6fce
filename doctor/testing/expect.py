"""What a test expects of evidence, said so that a failure explains itself."""

from __future__ import annotations

from doctor.model.evidence import Evidence, Fact, Value


def expect_fact(evidence: Evidence, kind: str, **fields: Value) -> Fact:
    """Return the one fact of ``kind`` with these fields; raises AssertionError otherwise."""
    of_kind = evidence.of_kind(kind)
    found = [one for one in of_kind if fields.items() <= dict(one.fields).items()]
    if len(found) != 1:
        seen = "".join(f"\n  {dict(one.fields)}" for one in of_kind) or " none"
        gaps = "".join(f"\n  {one.probe}: {one.reason}" for one in evidence.gaps) or " none"
        text = f"{len(found)} facts {kind!r} have {fields}, not one; facts:{seen}\ngaps:{gaps}"
        raise AssertionError(text)
    return found[0]


def expect_no_gaps(evidence: Evidence) -> None:
    """Raise AssertionError where a probe could not look at everything."""
    if evidence.gaps:
        raise AssertionError("\n".join(f"{one.probe}: {one.reason}" for one in evidence.gaps))
