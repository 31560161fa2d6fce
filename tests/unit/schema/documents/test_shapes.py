"""Schemas of documents that nobody described: they accept every row, and refuse what is other."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.schema.documents.fits import UnknownWordError, misfit
from doctor.schema.documents.shapes import SUPPORT, infer_schema

NUMBER = st.booleans() | st.integers() | st.floats(allow_nan=False)
SCALAR = st.none() | NUMBER | st.text(max_size=5)
ANY = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4)
    ),
    max_leaves=12,
)
SCRIPTS = [{"kind": "script", "path": f"/p/{one}", "args": ["a"] * one} for one in range(5)]
CALLS = [{"kind": "call", "url": "/x", "retries": one, "wait": one / 2} for one in range(4)]
CALLS.append({"kind": "call", "url": "/y", "retries": 1, "wait": 1, "body": {"id": 1}})


def accepted(document, schema):
    """Tell whether a library that knows JSON Schema whole accepts a document."""
    return jsonschema.Draft202012Validator(schema).is_valid(document)


@settings(max_examples=150, deadline=None)
@given(st.lists(ANY, max_size=8))
def test_every_document_that_a_schema_was_made_from_fits_it(documents):
    documents = json.loads(json.dumps(documents))
    schema = json.loads(json.dumps(infer_schema(documents)))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert [misfit(one, schema) for one in documents] == [None] * len(documents)
    assert all(accepted(one, schema) for one in documents)


@settings(max_examples=150, deadline=None)
@given(st.lists(ANY, min_size=1, max_size=6), ANY)
def test_whether_another_document_fits_is_what_the_library_says(documents, other):
    schema = infer_schema(documents)
    assert (misfit(other, schema) is None) == accepted(other, schema)


def test_two_families_are_told_apart_by_the_text_that_names_them():
    schema = infer_schema([*SCRIPTS, *CALLS])
    calls, scripts = schema["anyOf"]
    assert (calls["properties"]["kind"], calls[SUPPORT]) == ({"const": "call"}, 5)
    assert (scripts["properties"]["kind"], scripts[SUPPORT]) == ({"const": "script"}, 5)
    assert calls["required"] == ["kind", "retries", "url", "wait"]
    assert calls["properties"]["wait"] == {"type": "number"}


def mutants(document):
    """Yield documents with one key more, one that all have less, one value of another type."""
    yield {**document, "never": 1}
    for key in ("kind", "path", "url", "retries"):
        if key in document:
            less = copy.deepcopy(document)
            del less[key]
            yield less
            yield {**document, key: [document[key]]}
    yield {**document, "kind": "other"}


@pytest.mark.parametrize("document", [SCRIPTS[0], CALLS[0], CALLS[-1]])
def test_a_mutated_document_is_refused_with_the_reason(document):
    schema = infer_schema([*SCRIPTS, *CALLS])
    found = list(mutants(document))
    assert len(found) >= 6
    for one in found:
        assert misfit(one, schema) is not None
        assert not accepted(one, schema)
    assert misfit({**document, "never": 1}, schema) == "$ has 'never', which nobody described"


def test_families_without_such_a_text_are_told_apart_by_their_keys():
    one = [{"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}]
    two = [{"x": "1", "y": "2"}]
    schema = infer_schema([*one, *two])
    assert [sorted(each["properties"]) for each in schema["anyOf"]] == [["a", "b", "c"], ["x", "y"]]
    assert schema["anyOf"][0]["required"] == ["a", "b"]
    assert misfit({"a": 1, "y": "2"}, schema) == "$ fits none of 2 shapes"


def test_keys_that_are_data_are_not_named():
    schema = infer_schema([{f"run-{one}": one} for one in range(100)])
    assert schema == {"type": "object", "additionalProperties": {"type": "integer"}}


def test_a_word_that_is_not_checked_is_said_and_nothing_is_concluded():
    with pytest.raises(UnknownWordError, match="'pattern'"):
        misfit("a", {"type": "string", "pattern": "b"})
    assert misfit(1, {"$ref": "#/$defs/N", "$defs": {"N": {"type": "integer"}}}) is None
    assert misfit("1", {"$ref": "#/$defs/N", "$defs": {"N": {"type": "integer"}}}) == (
        "$ is a string, not an integer"
    )
