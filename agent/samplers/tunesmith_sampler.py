"""Tunesmith's tuner as an Optuna sampler, for ordinary Optuna programs.

    study = optuna.create_study(sampler=TunesmithSampler(seed=1, words="CNN trained with Adam"))
    study.optimize(objective, n_trials=30)

Works define-by-run: without a space, parameters that all completed trials share are proposed together by the
Gaussian process. A parameter of a branch is proposed from the trials that took its branch, and drawn by its
name's prior while there are few. Why each trial was proposed is in its user attribute `tunesmith`, which
optuna-dashboard shows.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.samplers._base import _process_constraints_after_trial
from optuna.study import Study
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from tunesmith.agent.knowledge import cards_for
from tunesmith.agent.methods.gp.prior import build_prior
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.suggester import Proposer
from tunesmith.agent.samplers.distributions import contains, draw_alone, shared_distributions
from tunesmith.agent.samplers.study_view import ATTRIBUTE, StudyView, Translation, expressible, space_name
from tunesmith.data_card import DataCard
from tunesmith.errors import ModelError
from tunesmith.history import History
from tunesmith.seeds import derive_seed, rng_for
from tunesmith.space import Space
from tunesmith.trial import Origin, Proposal

MODEL_CANDIDATES, ASK_EVERY = 6, 5
"""A language model is asked for 6 candidates at most once in 5 finished trials."""
BRANCH_FROM = 3
"""Completed trials with a parameter from which on it is proposed from what they found, not drawn."""
ENQUEUED = "fixed_params"
"""The system attribute in which Optuna keeps what `enqueue_trial` asked for."""
ConstraintsFunction = Callable[[FrozenTrial], Sequence[float]]
DEPRECATED = (
    "`constraints_func` is deprecated, as it is in Optuna since 5.0.0. "
    "Call `trial.set_constraint(name, value)` in the objective instead."
)
_Proposed = tuple[Proposal, Translation]


class TunesmithSampler(BaseSampler):
    """Gaussian process with priors by hyperparameter name; default configuration first.

    A failed trial (Optuna's FAIL, or an infinite value) counts as a poor one, so that its surroundings are
    avoided; running trials are taken into account. Constraints of a study are limits: improvement counts by
    the probability that they are kept. Of several objectives the gain in hypervolume of their front counts.

    Args:
        space: The search space, with conditions and constraints if any; None means found from the trials.
        seed: The same seed and study give the same proposals; None means a random one.
        words: About model and data, such as "AdamW, fine-tuning BERT"; decides which prior fits a name.
        priors: Whether priors take part at all.
        default: Values to start from, tried first; without a space it may name only some parameters.
        model: A language model as a source of candidates, which compete under the one acquisition function.
        data: The training data's DataCard, or `(X, y)` to compute it from; its words join `words`.
        constraints_func: As of Optuna's own samplers, and deprecated as there: called with each trial that
            completed or was pruned, returns values that are at most 0 where it is feasible. Better is
            `trial.set_constraint(name, value)` in the objective.
    """

    def __init__(
        self,
        space: Space | None = None,
        *,
        seed: int | None = None,
        words: str = "",
        priors: bool = True,
        default: Mapping[str, Any] | None = None,
        model: Proposer | None = None,
        data: DataCard | tuple[Any, Any] | None = None,
        constraints_func: ConstraintsFunction | None = None,
    ) -> None:
        if constraints_func is not None:
            warnings.warn(
                DEPRECATED, FutureWarning, stacklevel=3 if type(self) is not TunesmithSampler else 2
            )
        self._constraints_func = constraints_func
        card = DataCard.from_arrays(*data) if isinstance(data, tuple) else data
        figures = "" if card is None else card.words(names=False)
        self._words = "\n".join(filter(None, [words.strip(), figures]))
        self._card = card
        self._space, self._priors, self._model = space, priors, model
        self._seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        self._default = dict(default or {})
        if space is not None and default is not None:
            space.validate(default)
        self._forget()

    def _forget(self) -> None:
        """Set what is found again from the study: everything here is left out of a pickle."""
        self._lock = threading.Lock()
        self._views: WeakKeyDictionary[Study, dict[Space, StudyView]] = WeakKeyDictionary()
        self._strategies: dict[Space, Any] = {}
        self._candidates: tuple[Proposal, ...] = ()
        self._ask_at = 0
        # Proposals for branches of running trials, by trial number and the names proposed together.
        self._branches: WeakKeyDictionary[Study, dict[int, dict[tuple[str, ...], _Proposed]]] = (
            WeakKeyDictionary()
        )

    def __getstate__(self) -> dict[str, Any]:
        found_again = object.__new__(type(self))
        found_again._forget()
        return {name: value for name, value in vars(self).items() if name not in vars(found_again)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if self._space is not None:
            return self._space.to_distributions(originals=True)
        found = shared_distributions(study.get_trials(deepcopy=False))
        return {name: distribution for name, distribution in found.items() if not distribution.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space:
            return {}
        proposal, translation = self._propose(study, trial, search_space, self._ask_model)
        params = translation.to_optuna(proposal.configuration)
        notes = {**_provenance(proposal), "configuration": dict(proposal.configuration)}
        _note(study, trial, notes)
        return params

    def _propose(
        self,
        study: Study,
        trial: FrozenTrial,
        search_space: Mapping[str, BaseDistribution],
        ask: Callable[[History], tuple[Proposal, ...]] | None = None,
    ) -> _Proposed:
        """A configuration of `search_space` for a trial; one at a time, for each must see the one before."""
        with self._lock:
            view = self._view(study, search_space)
            space = view.translation.space
            history = view.history(study, but=trial.number)
            candidates = ask(history) if ask is not None and self._model is not None else ()
            strategy = self._strategy(space).with_seed(derive_seed(self._seed, trial.number))
            proposals = strategy.propose(history, 1, candidates)
            proposal = proposals[0] if proposals else self._again(space, trial)
            view.proposed[trial.number] = proposal.configuration
        return proposal, view.translation

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        branch = self._branch(study, param_name, param_distribution)
        if not branch:
            return self._drawn(study, trial, param_name, param_distribution)
        # Parameters of one branch are asked for one by one; all come from one proposal.
        kept = self._branches.setdefault(study, {}).setdefault(trial.number, {})
        names = tuple(branch)
        if names not in kept:
            kept[names] = self._propose(study, trial, branch)
        proposal, translation = kept[names]
        # The frozen trial that Optuna hands over is from before `sample_relative` wrote its notes.
        notes = dict(study._storage.get_trial(trial._trial_id).user_attrs.get(ATTRIBUTE, {}))
        notes["branches"] = {**notes.get("branches", {}), param_name: proposal.reason}
        _note(study, trial, notes)
        return translation.to_optuna(proposal.configuration)[param_name]

    def _branch(self, study: Study, name: str, distribution: BaseDistribution) -> dict[str, BaseDistribution]:
        """The parameters to propose this one with: those that all completed trials with it share.

        Without those that never varied there, such as the choice that leads into the branch: they explain
        nothing, and a proposal must not be made for another value of theirs. Empty while trials are too few.
        """
        taken = [
            trial
            for trial in study.get_trials(deepcopy=False, states=(OptunaState.COMPLETE,))
            if name in trial.distributions
        ]
        if len(taken) < BRANCH_FROM:
            return {}
        shared = shared_distributions(taken)
        if name not in shared or not expressible(distribution):
            return {}
        return {
            other: distribution if other == name else known
            for other, known in shared.items()
            if other == name or _varies(taken, other, known)
        }

    def _drawn(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """One parameter by itself: its default or its prior's mode when it is first met; later a draw."""
        rng = rng_for(self._seed, "independent", trial.number, param_name)
        if not expressible(param_distribution):
            return draw_alone(study, trial, param_name, param_distribution, rng)
        translation = Translation({param_name: param_distribution})
        space = translation.space
        first = trial.number == 0 or _is_first(study, trial, param_name)
        default = translation.to_configuration(self._default)
        if first and default is not None:
            return translation.to_optuna(default)[param_name]
        known = build_prior(space, cards=None)
        if self._priors:
            known = build_prior(space, default=default, words=self._words, cards=cards_for(self._card))
        row = known.mode(rng) if first else known.sample(rng, 1)[0]
        return translation.to_optuna(space.decode(row))[param_name]

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: OptunaState, values: Sequence[float] | None
    ) -> None:
        """Complete the record of a trial that was not proposed as a whole, or ran something else."""
        self._branches.get(study, {}).pop(trial.number, None)
        notes = trial.user_attrs.get(ATTRIBUTE)
        if self._set_by_hand(trial, notes.get("configuration") if isinstance(notes, dict) else None) or (
            notes is None and ENQUEUED in trial.system_attrs
        ):
            reason = "Set by hand: enqueued, or fixed by another sampler; not what Tunesmith proposed."
            _note(study, trial, {"origin": Origin.USER.value, "reason": reason})
        elif not isinstance(notes, dict) or "origin" not in notes:
            reason = "Each parameter drawn by itself: from its default or its name's prior where it has one."
            origin, notes = Origin.PRIOR, notes if isinstance(notes, dict) else {}
            if notes.get("branches"):
                reason = "Proposed branch by branch, as the trials so far share no parameters."
                origin = Origin.SURROGATE
            _note(study, trial, {"origin": origin.value, "reason": reason, **notes})
        if self._constraints_func is not None:
            _process_constraints_after_trial(self._constraints_func, study, trial, state)

    def _set_by_hand(self, trial: FrozenTrial, noted: Any) -> bool:
        """Whether something else than was proposed was run, although the proposal could have been."""
        noted = noted if isinstance(noted, dict) else {}
        for name in (name for name in trial.params if space_name(name) in noted):
            value, distribution = noted[space_name(name)], trial.distributions[name]
            if name in trial.system_attrs.get(ENQUEUED, {}):
                return True
            if not expressible(distribution):
                continue
            own = self._space is not None and name in self._space
            translation = Translation({name: distribution}, self._space if own else None)
            fits = isinstance(distribution, CategoricalDistribution) or contains(distribution, value)
            if fits and not translation.same(name, value, trial.params[name]):
                return True
        return False

    def _view(self, study: Study, search_space: Mapping[str, BaseDistribution]) -> StudyView:
        own = self._space is not None and set(search_space) == set(self._space.names)
        translation = Translation(search_space, self._space if own else None)
        views = self._views.setdefault(study, {})
        if translation.space not in views:
            # Without a space the default stands only if it names every parameter proposed together.
            views[translation.space] = StudyView(translation, translation.to_configuration(self._default))
        return views[translation.space]

    def _strategy(self, space: Space) -> Any:
        """The strategy over a space, with its `propose` and `with_seed`; made once."""
        if space not in self._strategies:
            self._strategies[space] = self._build(space)
        return self._strategies[space]

    def _build(self, space: Space) -> Any:
        cards = cards_for(self._card, space)
        return GaussianProcessStrategy(space, self._seed, words=self._words, priors=self._priors, cards=cards)

    def _again(self, space: Space, trial: FrozenTrial) -> Proposal:
        """A configuration where all have been tried: strategies never repeat, Optuna's studies may."""
        again = space.sample(rng_for(self._seed, "again", trial.number))[0]
        reason = "Every configuration has been tried; this is a random one again."
        return Proposal(configuration=again, origin=Origin.RANDOM, reason=reason)

    def _ask_model(self, history: History) -> tuple[Proposal, ...]:
        """What the language model suggests; asked rarely, and never a reason to stop."""
        assert self._model is not None
        finished = len(history.finished)
        if finished >= self._ask_at:
            self._ask_at = finished + ASK_EVERY
            model = self._model
            try:
                self._candidates = tuple(
                    model.candidates(history, MODEL_CANDIDATES)
                    if history.completed
                    else model.opening(history, MODEL_CANDIDATES).proposals
                )
            except ModelError as error:
                warnings.warn(
                    f"TunesmithSampler goes on without the language model for {ASK_EVERY} trials: {error}",
                    stacklevel=2,
                )
        return self._candidates


def _varies(trials: Sequence[FrozenTrial], name: str, distribution: BaseDistribution) -> bool:
    """Whether the trials have more than one value of a parameter."""
    translation = Translation({name: distribution})
    found = {translation.to_configuration({name: t.params[name]}, near=True) for t in trials}
    return len(found) > 1


def _is_first(study: Study, trial: FrozenTrial, name: str) -> bool:
    """Whether no trial has had this parameter, nor may be about to: trials side by side should differ."""
    others = (other for other in study.get_trials(deepcopy=False) if other.number != trial.number)
    return not any(name in other.params or other.state is OptunaState.RUNNING for other in others)


def _provenance(proposal: Proposal) -> dict[str, Any]:
    """Why a trial was proposed, as plain data; empty fields left out."""
    notes = proposal.model_dump(mode="json", exclude={"configuration"})
    return {key: value for key, value in notes.items() if value not in (None, "", [], {}, 0)}


def _note(study: Study, trial: FrozenTrial, notes: dict[str, Any]) -> None:
    # Optuna hands samplers a frozen copy, and its public API cannot write to the trial behind it; its own
    # samplers write through the storage as well.
    study._storage.set_trial_user_attr(trial._trial_id, ATTRIBUTE, notes)
