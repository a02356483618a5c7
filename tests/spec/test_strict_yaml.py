"""What a scalar of a rule file means, in full: nothing is guessed, nothing is repeated."""

from decimal import Decimal

import pytest

from service.knowledge.problems import KnowledgeError
from service.knowledge.strict_yaml import read

MEANT = [
    # As written, and what it is.
    ("yes", "yes"),
    ("no", "no"),
    ("Yes", "Yes"),
    ("NO", "NO"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("n", "n"),
    ("08:40", "08:40"),
    ("12:30:45", "12:30:45"),
    ("1e3", "1e3"),
    ("1.5e3", "1.5e3"),
    ("0x1F", "0x1F"),
    ("0o17", "0o17"),
    ("010", "010"),
    ("-010", "-010"),
    ("1_000", "1_000"),
    ("+5", "+5"),
    (".5", ".5"),
    ("5.", "5."),
    (".inf", ".inf"),
    (".nan", ".nan"),
    ("2026-11-10", "2026-11-10"),
    ("2026-11-10T09:00:00Z", "2026-11-10T09:00:00Z"),
    ("=", "="),
    ("~", "~"),
    ("Null", "Null"),
    ("None", "None"),
    ("null", None),
    ("", None),
    ('""', ""),
    ("'null'", "null"),
    ('"true"', "true"),
    ("'false'", "false"),
    ("0", 0),
    ("-0", 0),
    ("5", 5),
    ("-5", -5),
    ("12345678901234567890", 12345678901234567890),
    ("'5'", "5"),
    ("1.0", Decimal("1.0")),
    ("-0.25", Decimal("-0.25")),
    ("0.1", Decimal("0.1")),
    ('"1.0"', "1.0"),
    ("300 mg", "300 mg"),
    ("positive", "positive"),
]
REFUSED = [
    # The file, the line, and the beginning of what is said.
    ("a: true", 1, "write yes or no (or quote it): true"),
    ("a: false", 1, "write yes or no (or quote it): false"),
    ("a: True", 1, "write yes or no (or quote it): True"),
    ("a: FALSE", 1, "write yes or no (or quote it): FALSE"),
    ("a: [no, true]", 1, "write yes or no (or quote it): true"),
    ("a: 1\nb: 2\na: 3", 3, 'the key "a" stands here twice'),
    ("a:\n  b: 1\n  b: 1", 3, 'the key "b" stands here twice'),
    ("a: [{b: 1, b: 2}]", 1, 'the key "b" stands here twice'),
    ("a: &x 1\nb: *x", 2, "aliases are not allowed"),
    ("a: &x {c: 1}\nb: {<<: *x}", 2, "aliases are not allowed"),
    ("a: &x [1, *x]", 1, "aliases are not allowed"),
    ("a: !!python/object:os.system 1", 1, "the tag tag:yaml.org,2002:python/object:os.system is not allowed"),
    ("a: !thing 1", 1, "the tag !thing is not allowed"),
    ("a: !!binary aGk=", 1, "the tag tag:yaml.org,2002:binary is not allowed"),
    ("a: !!str 5", 1, "the tag tag:yaml.org,2002:str is not allowed"),
    ("a: !!set {b, c}", 1, "the tag tag:yaml.org,2002:set is not allowed"),
    ("a: &x b\n*x : 1", 2, "aliases are not allowed"),
    ("? [a, b]\n: 1", 1, "a key must be a word"),
    ("? {a: b}\n: 1", 1, "a key must be a word"),
    ("a: 1\n\tb: 2", 2, "found a tab character"),
    ("a:\n\t- 1", 2, "found character that cannot start any token"),
    ("a: [1, 2\nb: 3", 2, "did not find expected"),
    ("a: 1\n---\nb: 2", 2, "but found another document"),
    ("a: 'open", 1, "found unexpected end of stream"),
]


@pytest.mark.parametrize(("written", "meant"), MEANT)
def test_a_scalar_means_what_the_table_says(written, meant):
    data = read(f"a: {written}", "x.yaml").data
    assert data == {"a": meant}
    assert type(data["a"]) is type(meant)


@pytest.mark.parametrize(("written", "meant"), [line for line in MEANT if line[0] not in ("", "=")])
def test_a_scalar_means_the_same_inside_lists_and_mappings(written, meant):
    assert read(f"a: [{written}, {{b: {written}}}]", "x.yaml").data == {"a": [meant, {"b": meant}]}


@pytest.mark.parametrize("key", ["yes", "no", "on", "5", "08:40", "2026-11-10", "true", "null"])
def test_a_key_is_always_a_word(key):
    assert read(f"{key}: 1", "x.yaml").data == {key: 1}


@pytest.mark.parametrize(("text", "line", "said"), REFUSED)
def test_what_could_be_read_in_two_ways_is_refused_with_its_line(text, line, said):
    with pytest.raises(KnowledgeError) as refused:
        read(text, "rules/x.yaml")
    (problem, *_) = refused.value.problems
    assert (problem.file, problem.line) == ("rules/x.yaml", line)
    assert said in problem.message


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n"])
def test_an_empty_file_is_refused(text):
    with pytest.raises(KnowledgeError, match="the file is empty"):
        read(text, "rules/x.yaml")


def test_every_mistake_of_a_file_is_named_at_once():
    with pytest.raises(KnowledgeError) as refused:
        read("a: true\nb: 1\nb: 2\nc: !x 1\n", "rules/x.yaml")
    assert [problem.line for problem in refused.value.problems] == [1, 3, 4]
    assert str(refused.value).splitlines()[0].startswith("rules/x.yaml, line 1, a: write yes or no")


def test_folded_and_literal_text_is_text():
    text = "a: >-\n  one\n  two\nb: |\n  1\nc: >-\n  true\n"
    assert read(text, "x.yaml").data == {"a": "one two", "b": "1\n", "c": "true"}


def test_every_path_knows_its_line():
    document = read("a:\n  b:\n    - 1\n    - c: 2\n", "x.yaml")
    assert document.lines[("a",)] == 1
    assert document.lines[("a", "b", 1, "c")] == 4
    assert document.problem(("a", "b", 1, "d"), "said").line == 4
    assert document.problem(("z",), "said").line == 1
