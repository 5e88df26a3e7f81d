"""The language of templates says variables and whether they say something, and nothing else."""

import time

import pytest

from campaigns.wording import WordingError, check_wording, read_wording


def test_variables_are_filled_in_and_escaped_in_markup() -> None:
    wording = read_wording("Hello {{ name }}!")
    assert wording.fill({"name": "<b>Ana</b>"}) == "Hello <b>Ana</b>!"
    assert wording.fill({"name": "<b>A & b</b>"}, markup=True) == (
        "Hello &lt;b&gt;A &amp; b&lt;/b&gt;!"
    )


def test_a_part_is_there_only_when_its_variable_says_something() -> None:
    wording = read_wording("A{{#code}} code {{ code }}{{/code}}.")
    assert wording.fill({"code": "X1"}) == "A code X1."
    assert wording.fill({"code": ""}) == wording.fill({}) == "A."


def test_values_are_never_read_as_templates() -> None:
    wording = read_wording("{{ name }}")
    assert wording.fill({"name": "{{ secret }}", "secret": "x"}) == "{{ secret }}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ name.__class__ }}", "{{ name.password }}", "{{ name|safe }}", "{{ name() }}",
        "{{ 1 + 1 }}", "{% for x in name %}{% endfor %}", "{% include 'a' %}", "{{ }}", "{{name",
        "name}}", "{{#name}}no end", "{{/name}}", "{{#a}}{{#b}}{{/b}}{{/a}}", "{{#a}}{{/b}}",
        "{{{ name }}}", "{{ Name }}", "{{ _name }}", "{{ name\x00 }}",
    ],
)  # fmt: skip
def test_anything_else_is_refused(source: str) -> None:
    with pytest.raises(WordingError):
        read_wording(source)


def test_unknown_variables_are_named() -> None:
    with pytest.raises(WordingError, match="nmae"):
        check_wording("{{ nmae }}", ["name"])


def test_a_long_text_is_read_in_time_that_grows_with_it() -> None:
    # Of this process alone, whoever else is at work.
    started = time.process_time()
    read_wording("{{ name }} and " * 3_000).fill({"name": "x"})
    for nasty in ("{{" * 20_000, "{{#a}}" + "{" * 20_000, "{{ " + " " * 20_000):
        with pytest.raises(WordingError):
            read_wording(nasty)
    assert time.process_time() - started < 2
