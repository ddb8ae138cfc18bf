"""What a function must look like to be an objective, and what a person is told otherwise."""

from __future__ import annotations

import pytest

from tunesmith.tools.execution.signatures import call_fault, source_fault, unused_names

SPACE = ("lr", "width")

REFUSED = {
    "one argument": ("def train(cfg): return cfg['x']", "`def train(cfg, trial):`"),
    "options alone": ("def train(args): return args.lr", "train(argparse.Namespace(**config))"),
    "a number in the config's place": ("def train(lr, trial=None): return lr * 2", "return train(**config)"),
    "no argument": ("def train(): return 1", "`def train(config, trial):`"),
    "hyperparameters": ("def train(lr=0.1, width=64): return lr", "return train(**config)"),
    "hyperparameters, positional": ("def train(lr, width, epochs=3): return lr", "return train(**config)"),
    "hyperparameters, keyword-only": ("def train(*, lr, width): return lr", "return train(**config)"),
    "any keywords": ("def train(**kwargs): return kwargs['lr']", "return train(**config)"),
    "args, callbacks": (
        "def train(args, callbacks): return fit(args, callbacks)",
        "Namespace(**config)",
    ),
    "args, callbacks=None": (
        "def train(args, callbacks=None): return fit(args, callbacks)",
        "Namespace(**conf",
    ),
    "a number in the trial's place": ("def train(config, epochs=10): return epochs", "second argument"),
    "attributes of the dict": ("def train(args, trial): return args.lr", "`args['lr']`"),
    "three arguments": ("def train(config, trial, device): return 1", "`device=None`"),
    "keyword-only": ("def train(config, trial, *, device): return 1", "`device=None`"),
    "swapped": ("def train(trial, config): return 1", "in the other order"),
    "an Optuna objective": ("def train(trial): return trial.suggest_float('lr', 0, 1)", "config['lr']"),
    "async": ("async def train(config, trial): return 1", "asyncio.run(train(config, trial))"),
    "generator": ("def train(config, trial):\n  yield 1", "`trial.report(value, step)`"),
    "class": ("class train:\n  def __init__(self, config, trial): ...", "def tune(config, trial)"),
    "click": ("import click\n@click.command()\n@click.option('--lr')\ndef train(lr): ...", "--lr {lr}"),
    "typer": ("import typer\napp = typer.Typer()\n@app.command()\ndef train(lr: float): ...", "--lr {lr}"),
    "hydra": ("import hydra\n@hydra.main(config_name='c')\ndef train(cfg): ...", "lr={lr}"),
    "method": ("class Trainer:\n  def train(self, config, trial): ...", "Trainer().train(config)"),
    "nested": ("def make():\n  def train(config, trial): ...", "inside make()"),
    "below main": ("if __name__ == '__main__':\n  def train(config, trial): ...", "top level"),
    "misspelt": ("def trian(config, trial): ...", "Did you mean 'trian'?"),
    "nothing": ("x = 1", "Write `def train(config, trial):`"),
}
PASSED = {
    "plain": "def train(config, trial): return config['lr']",
    "short names": "def train(c, t): return 1",
    "a default trial": "def train(config, trial=None): return 1",
    "any arguments": "def train(*args, **kwargs): return 1",
    "further defaults": "def train(config, trial, device='cpu'): return 1",
    "a dict called as a hyperparameter": "def train(lr, t): return lr['lr']",
    "a hyperparameter behind": "def train(config, trial, width=3): return 1",
    "a flag": "def train(config, verbose=False): return 1",
    "args as a dict": "def train(args, trial): return args['lr']",
    "made a namespace": "def train(cfg, t):\n  cfg = Namespace(**cfg)\n  return cfg.lr",
    "either": "def train(cfg, t):\n  if isinstance(cfg, dict): pass\n  return cfg.lr",
    "an unusual name that is used": "def train(config, logger): logger.report(1, 2)",
    "decorated": "import functools\n@functools.cache\ndef train(x): ...",
    "imported": "from elsewhere import train",
    "star": "from elsewhere import *",
    "assigned": "train = make()",
    "in a branch": "try:\n  import x\nexcept ImportError:\n  def train(c, t): ...",
    "redefined": "def train(): ...\ndef train(config, trial): return 1",
    "inner generator": "def train(c, t):\n  def batches():\n    yield 1\n  return sum(batches())",
    "a dict's methods": "def train(config, trial): return config.get('lr') + config.pop('width')",
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_script_whose_function_cannot_be_called_is_told_what_to_write(case):
    source, fix = REFUSED[case]
    fault = source_fault(source.encode(), "train", "t.py", SPACE)
    assert fault is not None
    assert fix in fault.text
    assert "\n" not in fault.text
    assert len(fault.text) < 420


@pytest.mark.parametrize("case", PASSED)
def test_a_script_that_works_or_could_work_is_not_refused(case):
    assert source_fault(PASSED[case].encode(), "train", "t.py", SPACE) is None


LOADED_SAME = [
    "any keywords",
    *("one argument", "no argument", "hyperparameters", "hyperparameters, keyword-only", "three arguments"),
    *("keyword-only", "swapped", "an Optuna objective", "async", "generator", "class"),
]


@pytest.mark.parametrize("case", LOADED_SAME)
def test_a_loaded_function_gets_the_same_words_as_its_source(case):
    source, fix = REFUSED[case]
    names: dict = {}
    exec(source, names)  # noqa: S102 - the cases above
    text = call_fault(names["train"], "train", "t.py", SPACE)
    assert text is not None
    assert fix in text


def test_loaded_objects_that_can_be_called_pass():
    import functools

    class CanBeCalled:
        def __call__(self, config, trial): ...

        def method(self, config, trial): ...

    def three(a, config, trial): ...

    for train in (CanBeCalled(), CanBeCalled().method, functools.partial(three, 1), lambda c, t: 1, max):
        assert call_fault(train, "train") is None


def test_a_command_line_object_is_recognised_when_it_is_loaded():
    import click

    @click.command()
    @click.option("--lr")
    def train(lr): ...

    assert "--lr {lr}" in (call_fault(train, "train", "t.py", SPACE) or "")


def test_names_that_a_script_never_mentions():
    source = b"def train(config, trial): return config['lr'] * 2"
    assert unused_names(source, ("lr", "width")) == ["width"]
    assert unused_names(b"def train(config, trial): return fit(**config)", ("lr", "width")) == []
    assert unused_names(b"p.add_argument('--batch-size'); a.lr", ("lr", "batch_size")) == []
