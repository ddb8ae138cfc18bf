"""An ordinary Optuna program, with Tunesmith's sampler and nothing else of Tunesmith.

python examples/optuna_sampler.py
"""

from __future__ import annotations

import sys

import optuna
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import tunesmith

x, y = load_digits(return_X_y=True)  # (1797, 64), (1797,)
x_fit, x_held, y_fit, y_held = train_test_split(x / 16.0, y, train_size=300, random_state=0, stratify=y)


def objective(trial: optuna.Trial) -> float:
    model = make_pipeline(
        PCA(trial.suggest_int("components", 8, 64, log=True), random_state=0),
        SVC(
            C=trial.suggest_float("C", 1e-3, 1e3, log=True),
            gamma=trial.suggest_float("gamma", 1e-4, 1e1, log=True),
        ),
    )
    return float(model.fit(x_fit, y_fit).score(x_held, y_held))


def main(trials: int = 16) -> optuna.Study:
    sampler = tunesmith.TunesmithSampler(seed=0, words="support vector classifier")
    study = optuna.create_study(sampler=sampler, direction="maximize")
    study.optimize(objective, n_trials=trials)
    print(f"best {study.best_value:.4f} with {study.best_params}")
    return study


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
