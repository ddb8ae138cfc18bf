"""`DataCard`: facts about a data set, small enough for a prompt, exact enough for a prior.

The facts are those that the warm start of Liu et al. names (2024, "Large Language Models to Enhance
Bayesian Optimization": sizes, types, class balance, skewness and kurtosis, strong correlations), and the
scale of the features, on which good learning rates, kernel widths and penalties depend.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pydantic import Field

from tunesmith.data_card.facts import (
    MOST_CLASSES_LISTED,
    MOST_FEATURES_LISTED,
    STRONG,
    Count,
    FeatureFacts,
    Finite,
    Name,
    Share,
    Spread,
    TaskType,
)
from tunesmith.errors import DataError
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted
from tunesmith.trial import Frozen

CLASSES_IN_WORDS, WORDS_LENGTH = 10, 1200
"""Classes named, and characters, of a card as text."""
FEATURES_IN_WORDS = 12
SCALES_DIFFER = 3.0
"""Up to so many numeric features are described one by one, where one has so many times another's spread."""


class DataCard(Frozen):
    """What is known of a data set. Made by `from_arrays` or `from_file`; None means not known or undefined.

    Moments are those of the data at hand (divided by n), over finite entries only. A feature is numeric if
    every value it has is a number, or true or false; else categorical.
    """

    samples: Count
    """Rows of the data; at least so many where `more_samples`."""
    features: Count
    numeric: Count
    categorical: Count
    more_samples: bool = False
    """Whether reading stopped at a limit, so that `samples` is a lower bound."""
    samples_used: Count
    """Rows that the figures below were computed from: all, or a regular selection of very many."""

    task: TaskType | None = None
    """None: without a target."""
    classes: tuple[tuple[Name, Count], ...] = Field(default=(), max_length=MOST_CLASSES_LISTED)
    """Names and counts of the largest classes, in `samples_used`; by name, numbers in their order."""
    n_classes: Count = 0
    largest_class: Share | None = None
    """Share of the largest class."""
    target_mean: Finite | None = None
    target_sd: Finite | None = None
    target_skewness: Finite | None = None
    target_kurtosis: Finite | None = None
    """Excess kurtosis."""

    missing: Share = 0.0
    """Share of entries of the feature table that are missing or not finite."""
    constant: Count = 0
    """Numeric features that have one value only."""
    mean_square: Finite | None = None
    """Mean of x**2 over all finite numeric entries: a row's mean squared length divided by its features."""
    variance: Finite | None = None
    """Mean of (x - m)**2 over all finite numeric entries, m their one common mean: numpy's `X.var()`.

    scikit-learn's `gamma="scale"` is 1 / (features * variance)."""
    smallest_sd: Finite | None = None
    """Smallest standard deviation of a numeric feature that is not constant."""
    largest_sd: Finite | None = None
    standardised: bool | None = None
    """Whether all numeric features (constant ones aside) have means within 0.1 of 0 and sds in [0.5, 2]."""
    skewness: Spread | None = None
    """Over numeric features that are not constant."""
    kurtosis: Spread | None = None
    """Excess kurtosis, over the same."""

    correlated_with_target: Count | None = None
    """Numeric features whose correlation with the target is above 0.5 in absolute value.

    Pearson's for a numeric target and for two classes; for several classes the correlation ratio (the root
    of the share of variance between classes)."""
    correlated_pairs: Count | None = None
    """Pairs of numeric features with an absolute correlation above 0.5, of those examined."""
    pairs: Count = 0
    """Pairs examined: all, or those among 300 features drawn by a fixed seed."""
    pairs_possible: Count = 0
    """Pairs of numeric features there are."""
    listed: tuple[FeatureFacts, ...] = Field(default=(), max_length=MOST_FEATURES_LISTED)
    """The first features, at most 30."""

    @classmethod
    def from_arrays(
        cls, X: Any, y: Any = None, names: Any = None, *, task: TaskType | None = None
    ) -> DataCard:
        """A card of arrays, lists, data frames or tensors.

        Args:
            X: Shape (samples, features); further dimensions are flattened. May hold texts and missing values.
            y: Shape (samples,); None for no target.
            names: Names of the features; None: the columns of a data frame, or "x0", "x1", ...
            task: None: guessed from `y` (texts, booleans and few distinct whole numbers are classes).
        Raises:
            UsageError: The shapes do not fit.
        """
        from tunesmith.data_card.measure import measure
        from tunesmith.data_card.table import from_arrays

        return cls(**measure(from_arrays(X, y, names), task))

    @classmethod
    def from_file(
        cls, path: str | Path, target: str | int | None = None, *, task: TaskType | None = None
    ) -> DataCard:
        """A card of a .csv, .tsv, .npz or .npy file. Nothing in it is evaluated; pickled objects are refused.

        Args:
            target: Name or 0-based place of the target's column (csv, tsv, npy), or name of its array (npz).
            task: As in `from_arrays`.
        Raises:
            DataError: It cannot be read; names the file, the line or array, and what to do.
        """
        from tunesmith.data_card.measure import measure
        from tunesmith.data_card.reading import read_table

        table = read_table(Path(path), target)
        if task == "regression" and isinstance(table.target, list):
            raise DataError(
                "holds words, so no regression can predict it.",
                path=Path(path),
                place=clean(target, 60),
                fix="Name a column of numbers, or leave out `task: regression`.",
            )
        return cls(**measure(table, task))

    def facts(self) -> dict[str, Any]:
        """The figures as plain data, None where unknown; without the list of features."""
        return self.model_dump(mode="json", exclude={"listed", "classes"}) | {"classes": dict(self.classes)}

    def words(self, *, names: bool = True) -> str:
        """The card as a few sentences, at most about 1,200 characters.

        Args:
            names: Whether classes are named. Their names come from the data, so they have no place in text
                that decides anything.
        """
        parts = [self._size(), self._target(names), self._gaps(), self._scale(), self._shape()]
        return clean(" ".join(filter(None, [*parts, self._relations()])), WORDS_LENGTH)

    def further_words(self) -> str:
        """Figures that `words` leaves out, for a reader who asks: tails of the target, scale by feature.

        No prior by name is chosen by them.
        """
        parts = []
        if self.target_kurtosis is not None:
            parts.append(f"excess kurtosis of the target {self.target_kurtosis:.3g}")
        known = [f for f in self.listed if f.mean is not None and f.sd is not None]
        differ = (self.largest_sd or 0.0) >= SCALES_DIFFER * (self.smallest_sd or math.inf)
        if differ and 0 < len(known) <= FEATURES_IN_WORDS and self.numeric == len(known):
            scales = ", ".join(f"{f.mean:.2g} ± {f.sd:.2g}" for f in known)
            parts.append(f"mean ± sd by feature {scales}")
        return "; ".join(parts)

    def _size(self) -> str:
        kinds = f"{self.numeric:,} numeric, {self.categorical:,} categorical"
        size = f"{'at least ' if self.more_samples else ''}{counted(self.samples, 'sample')}"
        used = "" if self.samples_used == self.samples else f"; figures from {self.samples_used:,} samples"
        return f"{size}, {counted(self.features, 'feature')} ({kinds}){used}."

    def _target(self, names: bool) -> str:
        if self.task == "regression" and self.target_mean is not None and self.target_sd is not None:
            skew = "" if self.target_skewness is None else f", skewness {self.target_skewness:.3g}"
            return (
                f"Regression; the target has mean {self.target_mean:.4g}, "
                f"standard deviation {self.target_sd:.3g}{skew}."
            )
        if self.task != "classification":
            return ""
        shown = sorted(self.classes, key=lambda item: -item[1])[:CLASSES_IN_WORDS]
        shown = [item for item in self.classes if item in shown]  # in the card's order
        sizes = ", ".join(f"{name} ({count:,})" if names else f"{count:,}" for name, count in shown)
        rest = self.n_classes - len(shown)
        more = f" and {rest:,} more" if rest > 0 else ""
        of = "" if names else "of sizes "
        return f"Classification into {counted(self.n_classes, 'class', 'classes')}: {of}{sizes}{more}."

    def _gaps(self) -> str:
        missing = f"{self.missing:.2%} of entries are missing." if self.missing else "No entry is missing."
        constant = f" {counted(self.constant, 'feature')} constant." if self.constant else ""
        return missing + constant

    def _scale(self) -> str:
        if self.standardised is None or self.smallest_sd is None or self.largest_sd is None:
            return ""
        sds = f"standard deviations from {self.smallest_sd:.3g} to {self.largest_sd:.3g}"
        scale = "" if self.mean_square is None else f"; mean square of entries {self.mean_square:.3g}"
        return f"Features are {'' if self.standardised else 'not '}standardised ({sds}{scale})."

    def _shape(self) -> str:
        if self.skewness is None or self.kurtosis is None:
            return ""
        return f"Skewness: {self.skewness.text()}; excess kurtosis: {self.kurtosis.text()}."

    def _relations(self) -> str:
        parts = []
        if self.correlated_with_target is not None:
            parts.append(
                f"{self.correlated_with_target:,} of {counted(self.numeric, 'numeric feature')} with "
                f"|correlation| > {STRONG} to the target"
            )
        if self.correlated_pairs is not None:
            examined = "" if self.pairs == self.pairs_possible else f" examined (of {self.pairs_possible:,})"
            parts.append(
                f"{self.correlated_pairs:,} of {counted(self.pairs, 'pair')} of features{examined} with "
                f"|correlation| > {STRONG}"
            )
        return "; ".join(parts) + "." if parts else ""
