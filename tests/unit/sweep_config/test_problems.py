from __future__ import annotations

import pytest

from besom.sweep_config.problems import MOST_PROBLEMS, Findings, did_you_mean, nearest_word
from besom.sweep_config.tree import Node

WORDS = ("minimize", "maximize", "log_uniform_values", "early_terminate", "metric")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("maxmize", "maximize"), ("MINIMIZE", "minimize"), ("LogUniformValues", "log_uniform_values"), ("max", "maximize"),
     ("early-terminate", "early_terminate"), ("metrik", "metric"), ("early", "early_terminate")],
)  # fmt: skip
def test_the_nearest_word_is_found_whatever_its_case_and_dashes(word: str, meant: str) -> None:
    assert nearest_word(word, WORDS) == meant


@pytest.mark.parametrize("word", ["zebra", "", "!!", "m", "mi"])
def test_a_word_that_is_near_nothing_has_no_nearest(word: str) -> None:
    assert nearest_word(word, WORDS) is None


def test_a_beginning_that_fits_two_words_has_no_nearest() -> None:
    assert nearest_word("log", ["log_normal", "log_uniform"]) is None


def test_other_peoples_words_lead_to_ours() -> None:
    assert nearest_word("direction", WORDS, also={"direction": "metric"}) == "metric"


def test_the_hint_is_empty_when_nothing_is_near() -> None:
    assert (did_you_mean("zebra", WORDS), did_you_mean("metrik", WORDS)) == ("", ": did you mean `metric`?")


def test_findings_are_told_in_the_order_of_the_file() -> None:
    findings = Findings("f")
    findings.error("third", at=(3, 1))
    findings.error("first", at=Node(1, 1, 9))
    findings.error("second", at=(2, 4))
    assert [each.sentence for each in findings.errors()] == ["first", "second", "third"]


def test_findings_beyond_the_first_hundred_are_counted() -> None:
    findings = Findings()
    for number in range(MOST_PROBLEMS + 1234):
        findings.error("x", at=(number + 1, 1))
    assert len(findings.errors()) == MOST_PROBLEMS + 1
    assert findings.errors()[-1].sentence == "and 1,234 more problems of this file are not listed"


def test_notes_are_no_errors() -> None:
    findings = Findings("f")
    findings.note("remark", "a.b", (1, 2))
    assert not findings.any_error
    assert findings.notes()[0].as_dict() == {
        "sentence": "remark", "key": "a.b", "line": 1, "column": 2, "file": "f", "severity": "note",
    }  # fmt: skip
