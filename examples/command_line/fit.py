"""Gradient boosting on scikit-learn's diabetes data: an ordinary script, written with no tuner in mind.

    python fit.py --learning-rate 0.05 --max-depth 2

It knows nothing of Tunesmith. All that tuning asks of it is that it prints its metrics as JSON, one object a
line: with "step" for how far it is, without for the result.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import KFold, train_test_split

SPLIT_SEED = 0  # which patients are held out is part of the problem, so --seed does not change it
FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--learning-rate", type=float, default=0.1)  # these are scikit-learn's own defaults
    parser.add_argument("--n-estimators", type=int, default=100)
    parser.add_argument("--max-depth", type=int, default=3)
    parser.add_argument("--min-samples-leaf", type=int, default=1)
    parser.add_argument("--subsample", type=float, default=1.0)
    parser.add_argument("--max-features", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--test", action="store_true", help="fit on all but the test patients and judge on those"
    )
    args = parser.parse_args()

    x, y = load_diabetes(return_X_y=True)  # (442, 10), (442,): disease progression one year later
    x, x_test, y, y_test = train_test_split(x, y, test_size=142, random_state=SPLIT_SEED)  # 300 and 142

    def rmse(x_fit: np.ndarray, y_fit: np.ndarray, x_held: np.ndarray, y_held: np.ndarray) -> float:
        model = GradientBoostingRegressor(
            learning_rate=args.learning_rate,
            n_estimators=args.n_estimators,
            max_depth=args.max_depth,
            min_samples_leaf=args.min_samples_leaf,
            subsample=args.subsample,
            max_features=args.max_features,
            random_state=args.seed,
        )
        model.fit(x_fit, y_fit)
        return float(np.sqrt(np.mean((model.predict(x_held) - y_held) ** 2)))

    if args.test:
        print(json.dumps({"test_rmse": rmse(x, y, x_test, y_test)}))
        return
    errors: list[float] = []
    for fold, (fit, held) in enumerate(KFold(FOLDS, shuffle=True, random_state=SPLIT_SEED).split(x)):
        errors.append(rmse(x[fit], y[fit], x[held], y[held]))
        print(json.dumps({"step": fold, "rmse": float(np.mean(errors))}), flush=True)
    print(json.dumps({"rmse": float(np.mean(errors)), "rmse_spread": float(np.std(errors))}))


if __name__ == "__main__":
    main()
