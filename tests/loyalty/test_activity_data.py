"""Schemas of activities' data: what is one, and what is held against it."""

import datetime as dt

import pytest

from loyalty.activity_data import problem_of_schema, problems_of_data

B_IS_TEXT = {"properties": {"b": {"type": "string"}}}


def nested(depth: int) -> dict:
    return {"properties": {"a": nested(depth - 1)}} if depth else {}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, ""),
        ({"type": "object", "properties": {"stars": {"type": "integer"}}}, ""),
        ({"$ref": "#/$defs/a/b~1c", "$defs": {"a": {"b/c": {}}}}, ""),
        ({"$ref": "#start", "$defs": {"a": {"$anchor": "start"}}}, ""),
        ({"type": "strange"}, "type: 'strange'"),
        ({"pattern": "["}, "pattern"),
        ({"$ref": "https://x.example/schema"}, "outside of it"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "outside of it"),
        ({"$id": "https://x.example/schema"}, "outside of it"),
        ({"$ref": "#/$defs/none"}, "not in it"),
        ({"$ref": "#none"}, "not in it"),
        ({"minimum": float("nan")}, "JSON does not know"),
        ({"const": dt.date(2024, 1, 1)}, "JSON does not know"),
        ({"const": "\x00"}, "JSON does not know"),
        ({"description": "x" * 20_000}, "too long"),
        (nested(15), "too deeply"),
    ],
)
def test_what_is_a_schema(schema, words):
    problem = problem_of_schema(schema)
    assert problem == "" if not words else words in problem


@pytest.mark.parametrize(
    ("data", "schema", "fields"),
    [
        ({}, {}, []),
        ({"anything": [1, {"x": None}]}, {}, []),
        ({"stars": 6}, {"properties": {"stars": {"maximum": 5}}}, ["data.stars"]),
        ({"a": [{"b": 1}]}, {"properties": {"a": {"items": B_IS_TEXT}}}, ["data.a[0].b"]),
        ({}, {"required": ["x", "y"]}, ["data", "data"]),
        ({"text": "\x00"}, {}, ["data"]),
        ({"number": float("inf")}, {}, ["data"]),
        ({"text": "x" * 10_000}, {}, ["data"]),
        (nested(15), {}, ["data"]),
        ({}, {"$ref": "#"}, ["data"]),
    ],
)  # fmt: skip
def test_what_data_lacks(data, schema, fields):
    assert [problem.field for problem in problems_of_data(data, schema)] == fields
