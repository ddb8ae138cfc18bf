"""An Optuna program with a constraint: the best accuracy of a model that may keep no more than 3000 numbers.

python examples/optuna_constraints.py
"""

from __future__ import annotations

import sys

import optuna
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

import tunesmith

MOST_NUMBERS = 3000

x, y = load_digits(return_X_y=True)  # (1797, 64), (1797,)
x_fit, x_held, y_fit, y_held = train_test_split(x / 16.0, y, train_size=300, random_state=0, stratify=y)


def objective(trial: optuna.Trial) -> float:
    pca = PCA(trial.suggest_int("components", 2, 64, log=True), random_state=0)
    svc = SVC(
        C=trial.suggest_float("C", 1e-3, 1e3, log=True),
        gamma=trial.suggest_float("gamma", 1e-4, 1e1, log=True),
    )
    svc.fit(pca.fit_transform(x_fit), y_fit)
    kept = pca.components_.size + svc.support_vectors_.size
    trial.set_constraint("numbers", kept - MOST_NUMBERS)  # feasible where it is at most 0
    trial.set_user_attr("numbers", kept)
    return float(svc.score(pca.transform(x_held), y_held))


def main(trials: int = 20) -> optuna.Study:
    sampler = tunesmith.TunesmithSampler(seed=0, words="support vector classifier")
    study = optuna.create_study(sampler=sampler, direction="maximize")
    study.optimize(objective, n_trials=trials)
    best, most = study.best_trial, max(study.trials, key=lambda t: t.value or 0.0)
    print(f"best within the limit {best.value:.4f} with {best.user_attrs['numbers']} numbers: {best.params}")
    print(f"best of all {most.value:.4f} with {most.user_attrs['numbers']} numbers")
    return study


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
