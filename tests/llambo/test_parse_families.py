"""Families of answers that models give: each is read as meant or refused by type; never a wrong number."""

from __future__ import annotations

import time

import pytest

from tunesmith.agent.models.parsing import objects_in, repaired_object
from tunesmith.agent.models.replies import (
    Parsed,
    ParsedNumber,
    ParseTally,
    Refused,
    parse_configuration,
    parse_configurations,
    parse_label,
    parse_number,
    repair_question,
)
from tunesmith.events import AnswersParsed, Degraded
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space

SPACE = Space(
    {
        "lr": Float(1e-5, 0.5, "log"),
        "max_depth": Int(1, 15),
        "optimizer": Categorical(["adam", "adamw", "sgd"]),
    }
)
MEANT = {"lr": 0.01, "max_depth": 3, "optimizer": "sgd"}
NUMBERS = Space({"C": Float(1, 1000, "log"), "gamma": Float(1e-4, 1e-3, "log"), "n": Int(10, 20_000)})
TREE = Space(
    {
        "optimizer": Categorical(["adam", "sgd"]),
        "momentum": Float(0, 0.99, when={"optimizer": "sgd"}),
        "nesterov": Bool(when={"optimizer": "sgd"}),
        "batch": Ordinal([16, 32, 64]),
        "early": Bool(),
    }
)

READ = {
    # what was asked for
    "marks": "## lr: 0.01, max_depth: 3, optimizer: sgd ##",
    "json": '{"lr": 0.01, "max_depth": 3, "optimizer": "sgd"}',
    # Markdown
    "escaped names": r"## lr: 0.01, max\_depth: 3, optimizer: sgd ##",
    "bold names": "**lr**: 0.01\n**max_depth**: 3\n**optimizer**: sgd\n",
    "bold with the colon": "**lr:** 0.01, **max_depth:** 3, **optimizer:** sgd\n",
    "code": "`lr` = `0.01`, `max_depth` = `3`, `optimizer` = `sgd`",
    "bullets": "Here you go:\n- lr: 0.01\n- max_depth: 3\n* optimizer: sgd\n",
    "numbered": "1. lr: 0.01\n2. max_depth: 3\n3. optimizer: sgd\n",
    "table of rows": "| name | value |\n|---|---|\n| lr | 0.01 |\n| max_depth | 3 |\n| optimizer | sgd |\n",
    "fence": "```yaml\nlr: 0.01  # safe\nmax_depth: 3\noptimizer: sgd\n```",
    "headings": "## Learning rate\nlr: 0.01\n## Depth\nmax_depth: 3\n## Optimizer\noptimizer: sgd\n",
    # labels and marks
    "label inside": "## Hyperparameter configuration: lr: 0.01, max_depth: 3, optimizer: sgd ##",
    "label before": "Hyperparameter configuration: ## lr: 0.01, max_depth: 3, optimizer: sgd ##",
    "label between marks": "## configuration ##\nlr: 0.01, max_depth: 3, optimizer: sgd\n",
    "no marks": " lr: 0.01, max_depth: 3, optimizer: sgd",
    "one mark too few, but a line after it": "## lr: 0.01, max_depth: 3, optimizer: sgd\n",
    # objects
    "fenced json": '```json\n{"lr": 0.01, "max_depth": 3, "optimizer": "sgd"}\n```\nGood luck!',
    "python": "{'lr': 0.01, 'max_depth': 3, 'optimizer': 'sgd',}",
    "bare keys": "{lr: 0.01, max_depth: 3, optimizer: sgd}",
    "comments": '{"lr": 0.01, // small\n "max_depth": 3, /* 4? */ "optimizer": "sgd"}',
    "no commas": '{"lr": 0.01\n "max_depth": 3\n "optimizer": "sgd"}',
    "no last brace, but a comma": '{"lr": 0.01, "max_depth": 3, "optimizer": "sgd",\n',
    "numbers in quotes": '{"lr": "0.01", "max_depth": "3", "optimizer": "sgd"}',
    "nested": '{"configuration": {"lr": 0.01, "max_depth": 3, "optimizer": "sgd"}, "reason": "lr: 0.2"}',
    "a reason within": '{"lr": 0.01, "reason": "lr: 0.2, maybe", "max_depth": 3, "optimizer": "sgd",}',
    "names and values": '[{"name": "lr", "value": 0.01}, {"name": "max_depth", "value": 3},'
    ' {"name": "optimizer", "value": "sgd"}]',
    "json in a string": r'"{\"lr\": 0.01, \"max_depth\": 3, \"optimizer\": \"sgd\"}"',
    "other spelling of keys": '{"LR": 0.01, "Max Depth": 3, "Optimizer": "SGD"}',
    "a call": "Use Config(lr=0.01, max_depth=3, optimizer='sgd').",
    "flags": "python train.py --lr 0.01 --max-depth 3 --optimizer sgd\n",
    "xml": "<lr>0.01</lr><max_depth>3</max_depth><optimizer>sgd</optimizer>",
    # prose
    "sentence": "I suggest that lr is set to 0.01, max_depth is 3 and optimizer is sgd.",
    "of": "With an lr of 0.01, a max_depth of 3 and optimizer = sgd it should do well.",
    "other spelling": "Lr: 0.01, Max depth: 3, Optimizer: SGD",
    "warning first": "max_depth: 9 would be too much. ## lr: 0.01, max_depth: 3, optimizer: sgd ##",
    "discarded in a sentence before": "max_depth: 9 is too deep. lr: 0.01, max_depth: 3, optimizer: sgd\n",
    "what was tried": "The best was lr: 0.3, max_depth: 9, optimizer: sgd. Try lr: 0.01, max_depth: 3, "
    "optimizer: sgd\n",
    "bounds first": "min_lr: 0.0001, log lr: -4. lr: 0.01, max_depth: 3, optimizer: sgd\n",
    "an echo of the ranges": "- lr: [0.00001, 0.5] (float)\n- max_depth: [1, 15] (int)\n"
    "## lr: 0.01, max_depth: 3, optimizer: sgd ##",
    # numbers
    "scientific": "## lr: 1e-2, max_depth: 3, optimizer: sgd ##",
    "capital exponent": "## lr: 1.0E-02, max_depth: 3, optimizer: sgd ##",
    "power": "## lr: 1 × 10^-2, max_depth: 3, optimizer: sgd ##",
    "raised": "## lr: 10⁻², max_depth: 3, optimizer: sgd ##",
    "latex": r"## lr: $1 \times 10^{-2}$, max_depth: 3, optimizer: sgd ##",
    "without zero": "## lr: .01, max_depth: 3, optimizer: sgd ##",
    "whole as float": "## lr: 0.01, max_depth: 3.0, optimizer: sgd ##",
    "sentence point": "lr: 1e-2. max_depth: 3. optimizer: sgd.",
    "twice the same": "## lr: 0.01 (1e-2), max_depth: 3, optimizer: sgd ##",
    "unit": "## lr: 0.01, max_depth: 3 levels, optimizer: sgd ##",
    "a note": "## lr: 0.01 (as before), max_depth: 3 (was 7), optimizer: sgd ##",
    "percent with one legal reading": "## lr: 1 %, max_depth: 3, optimizer: sgd ##",
    "about": "## lr: ~0.01, max_depth: about 3, optimizer: sgd ##",
    "decimal comma": "lr: 0,01; max_depth: 3; optimizer: sgd\n",
    "zero-width and wide characters": "## lr： 0．01， max_depth： ３， optimizer： s\u200bgd ##",
    # order and repeats
    "other order": "## optimizer: sgd, max_depth: 3, lr: 0.01 ##",
    "two answers": "## lr: 0.01, max_depth: 3, optimizer: sgd ##,## lr: 0.1, max_depth: 9, optimizer: sgd ##",
    "two objects": '{"lr":0.01,"max_depth":3,"optimizer":"sgd"} {"lr":0.1,"max_depth":9,"optimizer":"adam"}',
    "the prompt goes on": "## lr: 0.01, max_depth: 3, optimizer: sgd ##\nPerformance: 0.9\nHyperparameter "
    "configuration: ## lr: 0.02, max_depth: 4, optimizer: adam ##",
    "repeated until cut": "lr: 0.01, max_depth: 3, optimizer: sgd\n[lr: 0.01, max_depth: 3, opt",
    # thinking
    "thinking": "<think>lr: 0.3, max_depth: 9, optimizer:</think>lr: 0.01, max_depth: 3, optimizer: sgd\n",
    "thinking whose start is gone": "lr: 0.3, max_depth: 9, optimizer: adam</think>"
    "## lr: 0.01, max_depth: 3, optimizer: sgd ##",
    "bracketed thinking": "[THINK]lr: 0.3[/THINK]## lr: 0.01, max_depth: 3, optimizer: sgd ##",
    "channels": "<|channel|>analysis<|message|>lr: 0.3, max_depth: 9, optimizer: sgd<|end|><|start|>assistant"
    "<|channel|>final<|message|>## lr: 0.01, max_depth: 3, optimizer: sgd ##<|return|>",
    # without names
    "a list": "[0.01, 3, 'sgd']",
    "a list between marks": "## 0.01, 3, sgd ##",
    # opinions
    "as an AI": "As an AI model I would try lr: 0.01, max_depth: 3, optimizer: sgd here.",
}


@pytest.mark.parametrize("text", READ.values(), ids=READ.keys())
def test_what_is_meant_is_read(text):
    outcome = parse_configuration(text, SPACE)
    assert isinstance(outcome, Parsed), outcome
    assert outcome.values == MEANT and type(outcome.values["max_depth"]) is int
    assert list(outcome.values) == list(SPACE.names)
    strict = text in (READ["marks"], READ["json"], READ["scientific"], READ["capital exponent"])
    strict |= text in (READ["without zero"], READ["whole as float"], READ["other order"])
    assert (outcome.how == "strict", outcome.changes == ()) == (strict, strict)


REFUSED = {
    "nothing": ("", "empty"),
    "white space": (" \n\t ", "empty"),
    "only thinking": ("<think>lr: 0.01, max_depth: 3, optimizer: sgd", "empty"),
    "declined": ("I'm sorry, but I cannot recommend a configuration.", "refusal"),
    "declined with values": ("I cannot recommend lr: 0.01, max_depth: 3, optimizer: sgd.", "refusal"),
    "prose": ("A small learning rate and shallow trees do well here.", "garbage"),
    "the template": ("## configuration ##", "garbage"),
    "placeholders": ("## lr: ..., max_depth: ..., optimizer: ... ##", "garbage"),
    "one missing": ("## lr: 0.01, max_depth: 3 ##", "missing"),
    "steps below a name": ("lr:\n1. use 0.1 first\nmax_depth: 3\noptimizer: sgd\n", "missing"),
    "one missing in json": ('{"lr": 0.01, "optimizer": "sgd"}', "missing"),
    "split over two sets": ("## lr: 0.01 ## and lr: 0.2, max_depth: 3 is bad", "missing"),
    "nan": ("## lr: nan, max_depth: 3, optimizer: sgd ##", "not_a_number"),
    "none": ("## lr: None, max_depth: 3, optimizer: sgd ##", "not_a_number"),
    "infinite": ("## lr: -inf, max_depth: 3, optimizer: sgd ##", "not_a_number"),
    "too large": ("## lr: 1e999, max_depth: 3, optimizer: sgd ##", "not_a_number"),
    "json nan": ('{"lr": NaN, "max_depth": 3, "optimizer": "sgd"}', "not_a_number"),
    "json null": ('{"lr": null, "max_depth": 3, "optimizer": "sgd"}', "not_a_number"),
    "json bool for a number": ('{"lr": true, "max_depth": 3, "optimizer": "sgd"}', "not_a_number"),
    "no such choice": ("## lr: 0.01, max_depth: 3, optimizer: rmsprop ##", "unknown"),
    "no such choice in json": ('{"lr": 0.01, "max_depth": 3, "optimizer": "rmsprop"}', "unknown"),
    "range": ("## lr: 0.01 to 0.1, max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "range with a dash": ("## lr: 0.01, max_depth: 3-5, optimizer: sgd ##", "ambiguous"),
    "interval": ("## lr: [0.01, 0.1], max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "interval in json": ('{"lr": [0.01, 0.1], "max_depth": 3, "optimizer": "sgd"}', "ambiguous"),
    "spread": ("## lr: 0.01 ± 0.005, max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "change": ("## lr: 0.1 -> 0.01, max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "or": ("## lr: 0.01, max_depth: 3 or 4, optimizer: sgd ##", "ambiguous"),
    "or of words": ("## lr: 0.01, max_depth: 3, optimizer: sgd or adam ##", "ambiguous"),
    "list of values": ("## lr: 0.01, 0.02, max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "calculation": ("## lr: 1/100, max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "power of two": ("## lr: 0.01, max_depth: 2^2, optimizer: sgd ##", "ambiguous"),
    "logarithm": ("## lr: -2 (log10), max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "logarithm by its name": ("## lr (log10): -2, max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "contradiction": ("## lr: 0.01, lr: 0.02, max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "contradiction in json": ('{"lr": 0.01, "lr": 0.02, "max_depth": 3, "optimizer": "sgd"}', "ambiguous"),
    "two forms that differ": ("## lr: 0.01 (1e-3), max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "suffix": ("## lr: 0.01, max_depth: 3k, optimizer: sgd ##", "garbage"),
    "scaled": ("## lr: 0.01 thousand, max_depth: 3, optimizer: sgd ##", "ambiguous"),
    "version": ("## lr: 0.0.1, max_depth: 3, optimizer: sgd ##", "garbage"),
    "grouped in json": ('{"lr": 0.01, "max_depth": 1,000, "optimizer": "sgd"}', "garbage"),
    "elided": ("## lr: 0.00…, max_depth: 3, optimizer: sgd ##", "truncated"),
    "cut number": ("## lr: 0.00", "truncated"),
    "cut in marks": ("## optimizer: sgd, max_depth: 3, lr: 0.0", "truncated"),
    "cut after a whole looking number": ("## optimizer: sgd, max_depth: 3, lr: 0.01", "truncated"),
    "cut exponent": ("optimizer: sgd, max_depth: 3, lr: 1e-", "truncated"),
    "cut at the point": ("optimizer: sgd, max_depth: 3, lr: 0.", "truncated"),
    "cut below the range": ("optimizer: sgd, max_depth: 3, lr: 0.000", "truncated"),
    "cut word": ("lr: 0.01, max_depth: 3, optimizer: sg", "truncated"),
    "a word that may go on": ("lr: 0.01, max_depth: 3, optimizer: adam", "truncated"),
    "cut object": ('{"lr": 0.01, "max_depth": 1', "truncated"),
    "cut before the last name": ("## lr: 0.01, max_depth: 3, opti", "truncated"),
    "cut fence": ("```\noptimizer: sgd\nmax_depth: 3\nlr: 0.01", "truncated"),
}


@pytest.mark.parametrize(("text", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_certain_is_refused_by_type(text, kind):
    outcome = parse_configuration(text, SPACE)
    assert isinstance(outcome, Refused) and outcome.kind == kind, outcome
    assert outcome.detail and len(outcome.detail) < 1000


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("C: 1,000.5, gamma: 0.0005, n: 12,000", (1000.5, 5e-4, 12_000)),
        ("C: 31.2876, gamma: 5e-4, n: 1_000", (31.2876, 5e-4, 1000)),
        ("C: 2000, gamma: 0.5, n: 10.5", (2000.0, 0.5, 10.5)),
        ("C: 1\u202f000, gamma: 0.0005, n: 1'000", (1000.0, 5e-4, 1000)),
        ("C: \u22125, gamma: 0.0005, n: +20", (-5.0, 5e-4, 20)),
    ],
    ids=["commas", "underscore", "out of range stays for snap", "thin blank", "minus sign"],
)
def test_numbers_are_what_the_text_says_even_out_of_range(written, values):
    outcome = parse_configuration(f"## {written} ##", NUMBERS)
    assert isinstance(outcome, Parsed), outcome
    assert tuple(outcome.values.values()) == values


@pytest.mark.parametrize(
    "written", ["C: 1,234; gamma: 1e-4; n: 100", "C: 50%, gamma: 1e-4, n: 100", "C: 1,5, gamma: 5e-4, n: 0.5"]
)
def test_a_number_with_two_legal_readings_is_refused_or_read_by_the_rest_of_the_text(written):
    outcome = parse_configuration(f"## {written} ##", NUMBERS)
    if isinstance(outcome, Parsed):
        assert "%" in written and outcome.values["C"] == 50  # 0.5 is out of range
    else:
        assert outcome.kind == "ambiguous"


def test_what_the_server_says_of_the_end_decides_whether_a_value_is_cut():
    text = "## lr: 0.01, optimizer: adam, max_depth: 1"
    assert getattr(parse_configuration(text, SPACE), "kind", "") == "truncated"
    assert getattr(parse_configuration(text, SPACE, finished=False), "kind", "") == "truncated"
    whole = parse_configuration(text, SPACE, finished=True)  # a stop sequence took the mark
    assert isinstance(whole, Parsed) and whole.values["max_depth"] == 1
    bare = "lr: 0.01, optimizer: adam, max_depth: 1"
    assert isinstance(parse_configuration(bare, SPACE), Parsed)
    assert getattr(parse_configuration(bare, SPACE, finished=False), "kind", "") == "truncated"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (
            "## optimizer: adam, batch: 32, early: yes ##",
            {"optimizer": "adam", "batch": 32, "early": True},
        ),
        (
            "optimizer: sgd\nmomentum: 0.9\nnesterov: off\nbatch: 64\nearly: False\n",
            {"optimizer": "sgd", "momentum": 0.9, "nesterov": False, "batch": 64, "early": False},
        ),
        (
            '{"optimizer": "adam", "momentum": null, "nesterov": null, "batch": 16, "early": true}',
            {"optimizer": "adam", "batch": 16, "early": True},
        ),
        (
            "momentum: 0.9, nesterov: True, optimizer: adam, batch: 16, early: 1\n",
            {"optimizer": "adam", "batch": 16, "early": True},
        ),
        ("## optimizer: Adam, batch: 48, early: true ##", {"optimizer": "adam", "batch": 48, "early": True}),
    ],
    ids=["inactive left away", "active children", "nulls", "inactive given", "a number between two choices"],
)
def test_choices_switches_orders_and_conditions(text, values):
    outcome = parse_configuration(text, TREE)
    assert isinstance(outcome, Parsed), outcome
    assert outcome.values == values
    assert all(type(outcome.values[name]) is type(value) for name, value in values.items())


def test_an_active_child_that_is_missing_is_missing():
    refused = parse_configuration("## optimizer: sgd, batch: 16, early: yes ##", TREE)
    assert isinstance(refused, Refused)
    assert refused == Refused("missing", "'momentum' has no value; 'nesterov' has no value")


def test_a_list_without_names_counts_only_where_one_order_fits():
    assert parse_configuration("[1.5, 0.0005, 500]", NUMBERS) == Parsed(
        {"C": 1.5, "gamma": 5e-4, "n": 500}, "tolerant", ("values without names",)
    )
    alike = Space({"a": Float(0, 1), "b": Float(0, 1)})
    assert getattr(parse_configuration("[0.1, 0.2]", alike), "kind", "") == "ambiguous"
    assert isinstance(parse_configuration("[0.2, 0.2]", alike), Parsed)
    assert getattr(parse_configuration("[10, 0.0005]", NUMBERS), "kind", "") == "garbage"
    assert getattr(parse_configuration("10, 0.0005, 50", NUMBERS), "kind", "") == "truncated"


def test_choices_that_are_words_for_numbers_are_told_apart_by_their_quotes():
    space = Space({"x": Categorical(["1", 2.0, "none"])})
    assert parse_configuration('{"x": "1"}', space).values == {"x": "1"}  # type: ignore[union-attr]
    assert parse_configuration("## x: 2 ##", space).values == {"x": 2.0}  # type: ignore[union-attr]
    assert parse_configuration("## x: None ##", space).values == {"x": "none"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        '[{"lr": 0.01, "max_depth": 3, "optimizer": "sgd"},{"lr": 0.1,"max_depth": 4,"optimizer": "adam"}]',
        "[{'lr': 0.01, 'max_depth': 3, 'optimizer': 'sgd'},\n{'lr': .1, 'max_depth':4, 'optimizer': 'adam'}]",
        "1. {'lr': 0.01, 'max_depth': 3, 'optimizer':'sgd'}\n2. {'lr':.1, 'max_depth':4, 'optimizer':'adam'}",
        "## lr: 0.01, max_depth: 3, optimizer: sgd ##\n## lr: 0.1, max_depth: 4, optimizer: adam ##",
        "1. lr: 0.01, max_depth: 3, optimizer: sgd\n2. lr: 0.1, max_depth: 4, optimizer: adam\n",
        "1) lr: 0.01, max_depth: 3, optimizer: sgd: an lr of 0.01 is safe\n"
        "2) lr: 0.1, max_depth: 4, optimizer: adam: deeper\n",
        '{"candidates": [{"configuration": {"lr": 0.01, "max_depth": 3, "optimizer": "sgd"}, "reason": "5"},'
        '{"configuration": {"lr": 0.1, "max_depth": 4, "optimizer": "adam"}}]}',
        "A:\n- lr: 0.01\n- max_depth: 3\n- optimizer: sgd\nB\n- lr: 0.1\n- max_depth: 4\n- optimizer: adam\n",
    ],
    ids=["json", "python", "numbered dicts", "marks", "numbered", "with reasons", "nested", "blocks"],
)
def test_several_configurations_come_in_order(text):
    found = parse_configurations(text, SPACE)
    assert [outcome.values for outcome in found if isinstance(outcome, Parsed)] == [
        MEANT,
        {"lr": 0.1, "max_depth": 4, "optimizer": "adam"},
    ]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ("## 0.912345 ##", 0.912345, "strict"),
        ("##-3##", -3.0, "strict"),
        ("## 9.5e-01 ##", 0.95, "tolerant"),
        ("## \u22123456.123456 #", -3456.123456, "tolerant"),
        ("Performance: ## 0.91 ##", 0.91, "tolerant"),
        ("## performance: 0.91 ##", 0.91, "tolerant"),
        ("## performance ##\n0.91", 0.91, "tolerant"),
        ("0.91", 0.91, "tolerant"),
        ('{"performance": 0.91}', 0.91, "tolerant"),
        ("Performance: 0.91\nReason: 20 trials say so.", 0.91, "tolerant"),
        ("<think>0.3 or 0.4</think>## 0.91 ##", 0.91, "tolerant"),
        ("## 91.2 % (0.912) ##", 0.912, "tolerant"),
        ("## 12,345.5 ##", 12345.5, "tolerant"),
        ("The F1 score is about 0.9.", 0.9, "tolerant"),
        ("## 0.91 ##\n\nThat is 0.02 better than before.", 0.91, "tolerant"),
    ],
)
def test_a_number_is_read(text, value, how):
    outcome = parse_number(text)
    assert isinstance(outcome, ParsedNumber), outcome
    assert (outcome.value, outcome.how) == (value, how)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "empty"),
        ("<think>0.9", "empty"),
        ("## NaN ##", "not_a_number"),
        ("## 1e999 ##", "not_a_number"),
        ("I cannot predict that.", "refusal"),
        ("It will do well.", "garbage"),
        ("## 1.2.3 ##", "garbage"),
        ("## 91.2% ##", "ambiguous"),
        ("## 1,234 ##", "ambiguous"),
        ("## 0.9 to 0.95 ##", "ambiguous"),
        ("## 0.9 ± 0.02 ##", "ambiguous"),
        ("## 0.91 ##\nPerformance: ## 0.93 ##", "ambiguous"),
        ("Best so far is 0.95, I expect 0.9.", "ambiguous"),
        ("912/1000", "ambiguous"),
        ("## -3456.123456", "truncated"),
        ("## 0.", "truncated"),
        ("0.", "truncated"),
        ("## ", "truncated"),
    ],
)
def test_what_is_no_certain_number_is_refused_by_type(text, kind):
    outcome = parse_number(text)
    assert isinstance(outcome, Refused) and outcome.kind == kind, outcome


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("## 1 ##", 1),
        ("0", 0),
        ("## 0", 0),
        ("Classification: 1", 1),
        ("## 1.0 ##", 1),
        ("<think>0</think>1", 1),
        ("## 10 ##", "unknown"),
        ("## 0.7 ##", "unknown"),
        ("0 or 1", "ambiguous"),
        ("good", "garbage"),
        ("", "empty"),
    ],
)
def test_a_label_is_0_or_1_or_refused(text, label):
    outcome = parse_label(text)
    assert (outcome.kind if isinstance(outcome, Refused) else outcome) == label


def test_the_question_back_says_why_and_shows_every_name():
    refused = parse_configuration("## lr: NaN </data> {{ x }}, max_depth: 3 ##", SPACE)
    assert isinstance(refused, Refused)
    question = repair_question(refused, SPACE)
    assert "not a number" in question and "'optimizer' has no value" in question
    assert "## lr: ..., max_depth: ..., optimizer: ... ##" in question
    assert question.count("</data>") == 1
    assert isinstance(parse_configuration(question, SPACE), Refused)  # an echo of it is no answer


def test_the_tally_tells_each_stage_once_and_what_was_repaired_and_refused():
    told: list[object] = []
    tally = ParseTally(told.append, "llambo.sampler")
    tally.report()
    assert told == []
    for text in (READ["marks"], READ["escaped names"], READ["escaped names"], "", READ["json"]):
        tally.count(parse_configuration(text, SPACE))
    tally.count(1)
    tally.count(parse_configuration(READ["marks"], SPACE), asked_back=True)
    tally.report("the Gaussian process proposed")
    counted, repair, rejected = told
    assert counted == AnswersParsed(where="llambo.sampler", strict=3, tolerant=2, repaired=1, refused=1)
    assert isinstance(repair, Degraded) and repair.what == "repair" and "markdown escapes x2" in repair.cause
    assert isinstance(rejected, Degraded) and rejected.cause == "empty (the answer is nothing)"
    assert rejected.continuation == "the Gaussian process proposed"
    tally.report()
    assert len(told) == 3


REPEATED = ["<think>", "</think>", "{", "[", '{"', '{"a":', "{lr:", "{/*", "(", "'", "`", "\\", " ", "9"]
REPEATED += ["lr: 1 ", "lr: 1, ", "lr: 1 lr: 2 ", "lr: 1\nlr: 2\n", "lr (", "lr: [", "don't lr: 1, ", "## "]
REPEATED += ["1,234 ", "1=", "10^", "performance: 0.9\n"]


@pytest.mark.long
@pytest.mark.parametrize("piece", REPEATED)
def test_one_piece_repeated_is_read_in_linear_time(piece):
    """A quadratic reader takes 25 times as long for a text of five times the length, on any machine."""
    seconds = []
    for size in (10_000, 50_000):
        text = (piece * size)[:size]
        start = time.process_time()
        for reader in (lambda t: parse_configurations(t, SPACE), parse_number, objects_in):
            assert reader(text) is not None
        repaired_object(text, "stop")
        seconds.append(time.process_time() - start)
    assert seconds[1] < 12 * seconds[0] + 0.5


def test_a_refusal_names_what_is_missing():
    refused = parse_configuration("## max_depth: 3 ##", SPACE)
    assert isinstance(refused, Refused)
    assert refused.detail == "'lr' has no value; 'optimizer' has no value"
