from __future__ import annotations

import numpy as np
import pytest

from tunesmith.agent.methods.gp.gp_model import MEAN_VARIANCE, Columns, GaussianProcess, _Loss, fit

COLUMNS = Columns(np.array([0, 1, 2, 2, 2, 3]), np.array([True, True, False, False, False, True]))
"""Four dimensions: two numbers, a category of three, a number."""


def points(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    U = rng.random((n, 6))
    U[:, 2:5] = np.eye(3)[rng.integers(3, size=n)]
    return U


def smooth(U: np.ndarray) -> np.ndarray:
    return np.sin(4 * U[:, 0]) + U[:, 1] ** 2 + U[:, 2] - 0.5 * U[:, 3]


def matern(U: np.ndarray, V: np.ndarray, process: GaussianProcess) -> np.ndarray:
    """The kernel written plainly, unwarped: a category differs by 1 or 0."""
    lengths = process.length_scales
    number = [0, 1, 5]
    d2 = ((U[:, None, number] - V[None, :, number]) ** 2 / lengths[[0, 1, 3]] ** 2).sum(-1)
    d2 = d2 + (U[:, None, 2:5] != V[None, :, 2:5]).any(-1) / lengths[2] ** 2
    r = np.sqrt(5 * d2)
    return process.scale * (1 + r + r**2 / 3) * np.exp(-r) + MEAN_VARIANCE


@pytest.mark.parametrize("warped", [False, True], ids=["plain", "warped"])
def test_the_gradient_is_the_derivative_of_the_loss(warped):
    U = points(25)
    U[0, 0], U[1, 1] = 0.0, 1.0  # the warp's derivatives are singular at the ends
    loss = _Loss(COLUMNS, U, np.random.default_rng(1).standard_normal(25), warped)
    size = 4 + 2 + (6 if warped else 0)
    theta = np.random.default_rng(2).standard_normal(size) * 0.4
    numeric = [(loss(theta + 1e-5 * e)[0] - loss(theta - 1e-5 * e)[0]) / 2e-5 for e in np.eye(size)]
    np.testing.assert_allclose(loss(theta)[1], numeric, rtol=1e-5, atol=1e-6)


def test_a_value_with_an_error_of_its_own_moves_the_process_less_and_none_changes_nothing():
    U = points(20)
    y = smooth(U)
    exact = fit(COLUMNS, U, y, warped=False)
    same = fit(COLUMNS, U, y, warped=False, extra=np.zeros(20))
    np.testing.assert_array_equal(exact.theta, same.theta)
    wild, extra = y.copy(), np.zeros(20)
    wild[7], extra[7] = -8.0, 1e4  # as good as unknown
    without = np.delete(np.arange(20), 7)
    unknown = fit(COLUMNS, U, wild, warped=False, extra=extra)
    left_out = fit(COLUMNS, U[without], y[without], warped=False)
    new = points(9, seed=5)
    for a, b in zip(unknown.predict(new), left_out.predict(new), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-2)
    with_pending = (p.predict(new, U[:2] + 0.01)[1] for p in (unknown, left_out))
    np.testing.assert_allclose(*with_pending, atol=2e-2)


def test_the_gradient_holds_with_errors_of_single_values():
    loss = _Loss(COLUMNS, points(25), np.random.default_rng(1).standard_normal(25), True, np.arange(25) / 10)
    theta = np.random.default_rng(2).standard_normal(12) * 0.4
    numeric = [(loss(theta + 1e-5 * e)[0] - loss(theta - 1e-5 * e)[0]) / 2e-5 for e in np.eye(12)]
    np.testing.assert_allclose(loss(theta)[1], numeric, rtol=1e-5, atol=1e-6)


def test_the_loss_is_the_log_posterior_that_optuna_uses():
    """Differences of the loss equal differences of Optuna's own marginal likelihood plus log prior."""
    import torch
    from optuna._gp import gp, prior

    n = 12
    U, y = points(n), np.random.default_rng(3).standard_normal(n)
    category = np.argmax(U[:, 2:5], axis=1)
    X = np.column_stack([U[:, 0], U[:, 1], category, U[:, 5]])
    loss = _Loss(COLUMNS, U, y, warped=False)

    def optuna(theta: np.ndarray) -> float:
        x, s, v = np.exp(theta[:4]), np.exp(theta[4]), np.exp(theta[5]) + 1e-5
        regressor = gp.GPRegressor(
            torch.tensor([False, False, True, False]),
            torch.tensor(X),
            torch.tensor(y),
            torch.tensor(x),
            torch.tensor(s),
            torch.tensor(v),
        )
        K = regressor.kernel().numpy() + MEAN_VARIANCE + v * np.eye(n)
        likelihood = -0.5 * np.linalg.slogdet(K)[1] - 0.5 * y @ np.linalg.solve(K, y)
        return -float(likelihood + prior.default_log_prior(regressor))

    a, b = np.array([0.3, -0.2, 0.5, 1.0, -0.4, -3.0]), np.array([-0.5, 0.9, 0.0, -1.0, 0.6, -5.0])
    assert loss(a)[0] - loss(b)[0] == pytest.approx(optuna(a) - optuna(b), rel=1e-9)


def test_predictions_are_the_textbook_posterior():
    U, new = points(20), points(7, seed=5)
    process = fit(COLUMNS, U, smooth(U), warped=False)
    K = matern(U, U, process) + process.noise * np.eye(20)
    k = matern(U, new, process)
    mean, std = process.predict(new)
    np.testing.assert_allclose(mean, k.T @ np.linalg.solve(K, process.y), rtol=1e-7, atol=1e-9)
    variance = process.scale + MEAN_VARIANCE - np.einsum("ij,ij->j", k, np.linalg.solve(K, k))
    np.testing.assert_allclose(std**2, variance, rtol=1e-5, atol=1e-9)


def test_a_running_point_takes_variance_away_and_leaves_the_mean():
    U, new = points(20), points(30, seed=7)
    process = fit(COLUMNS, U, smooth(U), warped=True)
    mean, std = process.predict(new)
    after_mean, after_std = process.predict(new, pending=new[:1])
    np.testing.assert_array_equal(after_mean, mean)
    assert after_std[0] < 0.7 * std[0]
    assert (after_std <= std + 1e-9).all()


def test_repeated_points_and_a_single_point_can_be_fitted():
    U = np.repeat(points(2), 10, axis=0)
    mean, std = fit(COLUMNS, U, np.repeat([1.0, -1.0], 10), warped=True).predict(U)
    np.testing.assert_allclose(mean, np.repeat([1.0, -1.0], 10), atol=0.2)
    assert np.isfinite(std).all()
    assert np.isfinite(fit(COLUMNS, points(1), np.array([0.0]), warped=True).predict(U)[0]).all()
