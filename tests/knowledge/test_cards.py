from __future__ import annotations

import numpy as np
import pytest

from tunesmith.agent.knowledge import Categories, Located, cards_for, find_card, find_cards, load_knowledge
from tunesmith.agent.knowledge.cards import read_knowledge
from tunesmith.data_card import DataCard
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space

WIDE = Float(1e-8, 1e3, scale="log")
SHARE = Float(0.01, 1.0)


@pytest.mark.parametrize(
    ("name", "words", "mean", "sd"),
    [
        ("learning_rate", "AdaBoost on wine", -0.3, 0.5),
        ("eta", "XGBoost classifier", -1.1, 0.4),
        ("learning_rate", "LightGBM", -1.1, 0.4),
        ("eta0", "SGDClassifier on text", -1.5, 0.8),
        ("lr", "fine-tuning a BERT", -4.5, 0.4),
        ("lr", "small CNN, SGD with momentum", -1.5, 0.6),
        ("learning_rate_init", "MLPClassifier with Adam", -2.8, 0.5),
        ("lr", "transformer, AdamW", -2.8, 0.5),
        ("lr", "a CNN with Adam or SGD", -2.5, 0.8),
        ("lr", "", -2.5, 0.8),
        ("lr", "something trained with Adam on vital signs", -2.5, 0.8),
        ("alpha", "MLPRegressor", -4.2, 0.9),
        ("alpha", "kernel ridge regression", -1.5, 1.0),
        ("alpha", "ridge regression", 0.0, 1.2),
        ("alpha", "Lasso", -2.0, 1.0),
        ("weight_decay", "CNN, AdamW", -2.0, 0.8),
        ("weight_decay", "CNN, Adam", -4.2, 0.9),
        ("batch_size", "", 1.68, 0.35),
        ("C", "SVC with an RBF kernel", 1.0, 0.8),
        ("C", "logistic regression", 0.0, 1.0),
        ("gamma", "SVC with an RBF kernel", -1.5, 0.9),
        ("gamma", "XGBoost", -1.5, 1.0),
        ("n_estimators", "random forest", 2.3, 0.4),
        ("n_estimators", "gradient boosting", 2.4, 0.4),
        ("max_depth", "random forest", 1.18, 0.3),
        ("max_depth", "gradient boosting", 0.7, 0.2),
        ("max_depth", "decision tree", 0.9, 0.3),
        ("n_neighbors", "k-nearest neighbours", 0.95, 0.35),
        ("tol", "", -3.7, 1.0),
    ],
)
def test_the_words_about_the_model_pick_the_entry(name, words, mean, sd):
    card = find_card(name, WIDE, words)
    assert isinstance(card, Located)
    assert (card.mean, card.sd) == (mean, sd)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alpha", "some model"),
        ("gamma", "some model"),
        ("gamma", "SVC on raw features"),
        ("p", "logistic regression"),
        ("epochs", "CNN"),
        ("my_knob", "CNN with Adam"),
        ("depth", "a convolutional network, CNN"),
        ("gamma", "CNN with kernel size 3 and focal loss"),
    ],
)
def test_a_name_that_could_mean_anything_has_no_card(name, words):
    assert find_card(name, WIDE, words) is None


@pytest.mark.parametrize(
    "name", ["lr", "LR", "optimizer.lr", "clf__learning_rate", "model/lr", "Learning-Rate", "base_lr"]
)
def test_the_usual_spellings_of_a_name_are_one(name):
    card = find_card(name, WIDE)
    assert card is not None and card.name == "learning_rate"


def test_a_condition_speaks_louder_than_the_task():
    """Of two learning rates in one space, the one active under SGD gets the belief about SGD."""
    words = "CNN; Adam and SGD are compared"
    under_sgd = Float(1e-5, 1, scale="log", when={"optimizer": "sgd"})
    under_adam = Float(1e-5, 1, scale="log", when={"optimizer": "adam"})
    assert find_card("lr", under_sgd, words).mean == -1.5
    assert find_card("lr", under_adam, words).mean == -2.8


@pytest.mark.parametrize(
    ("parameter", "mean"),
    [(Int(1, 64), 0.3), (Float(0.001, 0.5, scale="log"), -2.3), (Ordinal([1, 5, 20]), 0.3)],
    ids=["count", "fraction", "ordinal counts"],
)
def test_a_minimum_of_samples_may_be_a_count_or_a_fraction(parameter, mean):
    assert find_card("min_samples_leaf", parameter, "random forest").mean == mean


def test_a_fraction_of_features_is_not_a_number_of_features():
    assert find_card("max_features", SHARE, "random forest").mean == 0.4
    assert find_card("max_features", Int(1, 30), "random forest") is None


def test_numeric_cards_fit_numeric_parameters_and_categories_categorical_ones():
    assert isinstance(find_card("learning_rate", WIDE, "SGDClassifier"), Located)
    schedule = find_card("learning_rate", Categorical(["constant", "optimal", "adaptive"]), "SGDClassifier")
    assert isinstance(schedule, Categories)
    assert find_card("dropout", Bool()) is None


@pytest.mark.parametrize(
    ("name", "choices", "words", "expected"),
    [
        ("kernel", ("linear", "rbf", "poly"), "SVC", [0.2, 0.6, 0.2]),
        ("optimizer", ("Adam", "AdamW", "SGD", "RMSprop"), "CNN", [0.35, 0.45, 0.1, 0.1]),
        ("penalty", ("l1", "l2"), "logistic regression", [0.4, 0.6]),
        ("weights", ("uniform", "distance"), "kNN", [0.4, 0.6]),
    ],
)
def test_what_a_card_leaves_over_is_shared_by_the_other_choices(name, choices, words, expected):
    card = find_card(name, Categorical(choices), words)
    assert card.probabilities(choices) == pytest.approx(expected)


@pytest.mark.parametrize(("words", "true"), [("random forest", 0.7), ("extra trees", 0.3)])
def test_bootstrap_is_for_forests_and_not_for_extra_trees(words, true):
    assert find_card("bootstrap", Bool(), words).probabilities((False, True)) == pytest.approx(
        [1 - true, true]
    )


def test_choices_a_card_does_not_speak_of_get_no_prior():
    assert find_card("optimizer", Categorical(["x", "y"])).probabilities(("x", "y")) is None


def test_every_entry_says_where_it_comes_from_and_is_sane():
    knowledge = load_knowledge()
    for name, entries in knowledge.entries.items():
        for entry in entries:
            assert entry.card.source, name
            if isinstance(entry.card, Categories):
                assert 0 < sum(w for _, w in entry.card.weights) <= 1
            else:
                assert 0 < entry.card.sd <= 2 and -10 <= entry.card.mean <= 5


CONTEXTS = {"net": "cnn"}


@pytest.mark.parametrize(
    "card",
    [
        {"names": ["Lr"], "entries": []},
        {"names": ["lr", "lr"], "entries": []},
        {"names": ["lr"], "entries": [{"scale": "log10", "mean": 0, "sd": 0}]},
        {"names": ["lr"], "entries": [{"scale": "ln", "mean": 0, "sd": 1}]},
        {"names": ["lr"], "entries": [{"scale": "log10", "mean": 0, "sd": 1, "in": ["forest"]}]},
        {"names": ["lr"], "entries": [{"scale": "log10", "mean": 0, "sd": 1, "wen": ["net"]}]},
    ],
    ids=["not canonical", "twice", "no spread", "unknown scale", "unknown context", "unknown key"],
)
def test_a_malformed_card_is_named(card):
    with pytest.raises(ValueError, match=r"card '[Ll]r'"):
        read_knowledge({"contexts": CONTEXTS, "cards": [card]})


def card_of(scale: float) -> DataCard:
    return DataCard.from_arrays(np.random.default_rng(0).normal(0, scale, (200, 4)))


def test_the_place_of_gamma_is_scikit_learns_own_rule_where_the_data_are_known():
    for scale in (0.05, 1.0, 300.0):
        card = find_card("gamma", WIDE, "SVC with an RBF kernel", card_of(scale))
        assert card.mean == pytest.approx(-np.log10(4 * card_of(scale).variance))
        assert "scale" in card.source


def test_a_step_is_believed_smaller_where_inputs_are_large_and_no_larger_where_they_are_small():
    words = "MLPClassifier trained by SGD"
    means = [find_card("lr", WIDE, words, card_of(scale)).mean for scale in (0.01, 1.0, 100.0)]
    assert means[0] == -1.5 and means[1] == pytest.approx(-1.5, abs=0.05)
    assert means[2] == pytest.approx(-3.5, abs=0.05)
    assert find_card("lr", WIDE, "MLPClassifier with Adam", card_of(100.0)).mean == -2.8


@pytest.mark.parametrize("words", ["SVC after a StandardScaler", "SVC; the features are standardised"])
def test_code_that_scales_its_inputs_is_believed_over_the_file(words):
    for name, mean in (("gamma", -1.5), ("C", 1.0)):
        told = f"{words}\nData: {card_of(300.0).words()}"
        assert find_card(name, WIDE, told, card_of(300.0)).mean == mean


def test_raw_features_alone_do_not_count_as_scaled():
    assert find_card("gamma", WIDE, "SVC; features are not standardised") is None
    assert find_card("lr", WIDE, "MLP by SGD on unstandardised features").mean == -2.5


@pytest.mark.parametrize("shift", ["no_such_rule", "kernel_width"])
def test_a_shift_that_cannot_be_meant_is_refused(shift):
    entry = {"scale": "linear", "mean": 0, "sd": 1, "shift": shift}
    with pytest.raises(ValueError, match="shift"):
        read_knowledge({"contexts": {}, "cards": [{"names": ["x"], "entries": [entry]}]})


def test_where_gamma_may_not_be_as_large_as_the_data_ask_c_makes_up_for_it():
    """With a small gamma only C x gamma counts (Keerthi and Lin, 2003)."""
    space = Space({"svc__C": WIDE, "svc__gamma": Float(1e-6, 1e-3, scale="log")})
    place = -np.log10(4 * card_of(1.0).variance)
    find = cards_for(card_of(1.0), space)
    assert find("svc__C", WIDE, "SVC, RBF kernel")[0].mean == pytest.approx(1.0 + place + 3)
    wide = Space({"C": WIDE, "gamma": Float(1e-6, 10, scale="log")})
    assert cards_for(card_of(1.0), wide)("C", WIDE, "SVC, RBF kernel")[0].mean == 1.0
    assert cards_for(None, space)("C", WIDE, "SVC, RBF kernel")[0].mean == 1.0


def shares(name, words, parameter=WIDE):
    return {card.mean: pytest.approx(card.share) for card in find_cards(name, parameter, words)}


def test_one_word_gets_half_of_a_prior_and_the_general_card_the_rest():
    assert shares("lr", "Fine-tune on reviews") == {-4.5: 0.5, -2.5: 0.5}
    assert shares("lr", "no telling") == {-2.5: 1.0}


def test_independent_words_that_agree_get_more_and_words_against_a_context_take_away():
    assert shares("lr", "Fine-tune DistilBERT") == {-4.5: 1.0}
    assert shares("lr", "a pre-trained language model") == {-4.5: 0.9, -2.5: 0.1}
    assert shares("lr", "Fine-tune a small classifier") == {-4.5: 0.25, -2.5: 0.75}
    assert shares("n_estimators", "forest cover types") == {2.3: 0.25}


def test_the_next_context_gets_its_share_of_the_rest():
    found = shares("lr", "fine-tune a convnet with Adam")
    assert found == {-4.5: 0.5, -2.8: 0.5}


def test_a_name_of_a_model_or_two_words_leave_little_to_others():
    assert shares("C", "SVC") == {1.0: 0.9, 0.0: 0.1}
    assert shares("gamma", "SVC with an RBF kernel") == {-1.5: 1.0}
    (card, *_) = find_cards("lr", WIDE, "fine-tune BERT")
    assert card.words == ("bert", "fine-tune")


def test_the_word_that_chose_a_card_is_short_and_clean():
    words = "linear model \x1b[2J[bold]" + "x" * 40 + " sgd"
    for card in find_cards("lr", WIDE, words):
        assert all(len(word) <= 30 and "\x1b" not in word for word in card.words)


def test_shares_of_every_name_sum_to_at_most_one():
    for name in load_knowledge().entries:
        for words in (
            "",
            "fine-tune a CNN with Adam",
            "boosted forest of SVMs",
            "RandomForestClassifier, MLP by SGD",
        ):
            for parameter in (WIDE, SHARE, Categorical(["l2", "relu"])):
                cards = find_cards(name, parameter, words)
                assert sum(card.share for card in cards) <= 1 + 1e-9
                assert all(card.share > 0 for card in cards)
