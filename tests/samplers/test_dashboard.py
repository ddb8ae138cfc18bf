"""A study of ours opens in optuna-dashboard, with the reasons in it."""

import json
import threading
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pytest

from tunesmith import TunesmithSampler
from tunesmith.agent.samplers.study_view import ATTRIBUTE

dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def get():
    """Serve a storage by the dashboard and get JSON from it."""
    servers = []

    def serve(storage):
        server = make_server("127.0.0.1", 0, dashboard.wsgi(storage), handler_class=Quiet)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def get(path):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}") as answer:
                return answer.read().decode()

        return get

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("directions", [["minimize"], ["minimize", "maximize"]], ids=["one", "two"])
def test_the_dashboard_tells_why_each_trial_was_proposed(get, tmp_path, directions):
    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        y = (
            trial.suggest_float("momentum", 0, 0.99)
            if trial.suggest_categorical("c", ["a", "b"]) == "a"
            else 0
        )
        return (x + y, x)[: len(directions)]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    sampler = TunesmithSampler(seed=0, words="CNN")
    study = optuna.create_study(storage=storage, sampler=sampler, directions=directions)
    study.optimize(objective, n_trials=6)
    ask = get(storage)
    number = json.loads(ask("/api/studies"))["study_summaries"][0]["study_id"]
    shown = json.loads(ask(f"/api/studies/{number}?after=0"))["trials"]
    assert len(shown) == 6
    for trial, ours in zip(shown, study.trials, strict=True):
        attributes = {item["key"]: item["value"] for item in trial["user_attrs"]}
        told = json.loads(attributes[ATTRIBUTE])
        assert told["reason"] == ours.user_attrs[ATTRIBUTE]["reason"] and told["reason"]
    assert "<title>" in ask("/dashboard")
