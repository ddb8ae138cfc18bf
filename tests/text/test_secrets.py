"""Secrets of the environment are in no text that is kept, shown or sent."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.outcome import Outcome, Stamp, TrialState
from tunesmith.text.cleaning import clean, error_line, log_line, log_tail
from tunesmith.text.literal import literal, one_line
from tunesmith.text.secrets import Redactor, is_secret_name, refresh
from tunesmith.tools.execution.log_file import CappedLog
from tunesmith.tools.records.trial_folder import read_outcome, record_outcome, take_secrets_out_of_record

SECRET = 'sk-canary/"q"+é-0123456789'


@pytest.fixture
def planted(monkeypatch):
    monkeypatch.setenv("SERVICE_API_TOKEN", SECRET)
    refresh()
    yield
    monkeypatch.undo()
    refresh()


def test_names_that_hold_secrets():
    secret = (
        "OPENAI_API_KEY HF_TOKEN AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID DB_PASSWORD PGPASSWORD MYSQL_PWD "
        "WANDB_API_KEY GITHUB_PAT APIKEY my_secret client-secret SSH_PASSPHRASE SENTRY_DSN REDIS_AUTH "
        "API_KEYS SLACK_WEBHOOK_URL AZURE_STORAGE_CONNECTION_STRING TOKEN KEY_2 GOOGLE_CREDENTIALS"
    )
    plain = (
        "PATH HOME PWD OLDPWD TOKENIZERS_PARALLELISM KEYBOARD_LAYOUT MONKEYPATCH SSH_AUTH_SOCK AUTHOR COMPAT"
    )
    assert [name for name in secret.split() if not is_secret_name(name)] == []
    assert [name for name in plain.split() if is_secret_name(name)] == []


@pytest.mark.parametrize("written", [SECRET, repr(SECRET), json.dumps(SECRET), quote(SECRET), f"é{SECRET}é"])
def test_every_edge_takes_a_secret_out_however_it_is_written(planted, written):
    for edge in (clean, literal, one_line, log_line, log_tail, lambda text: error_line(KeyError(text))):
        shown = edge(f"login failed: {written} is wrong")
        assert "canary" not in shown and "[SERVICE_API_TOKEN]" in shown


def test_no_part_of_a_secret_is_left_where_a_text_is_cut(planted):
    for place in (1, 20, 30, 45, 320, 330, 340, 480, 490, 499, 660, 2_490, 2_500):
        text = "x" * place + SECRET + "y" * 20_500
        for edge in (
            clean,
            literal,
            log_line,
            log_tail,
            lambda text: clean(text, 60),
            lambda text: one_line(text, 50),
        ):
            assert "canary" not in edge(text) and "sk-" not in edge(text[::-1] + text)


def test_an_escape_sequence_within_a_secret_hides_none(planted):
    assert "canary" not in literal(f"{SECRET[:4]}\x1b[0m{SECRET[4:]}")


def test_an_outcome_keeps_no_secret(planted):
    outcome = Outcome(state=TrialState.CRASHED, message=SECRET, traceback=f"line\n{SECRET}")
    assert "canary" not in outcome.to_json()


@pytest.mark.parametrize(
    ("name", "value", "text", "shown"),
    [
        ("DATABASE_URL", "postgresql://me:pa55word@db/x", "cannot log in with pa55word", "[DATABASE_URL]"),
        ("HTTPS_PROXY", "http://me:p%40ssword@proxy:80", "p@ssword", "[HTTPS_PROXY]"),
        ("AUTHORIZATION", "Bearer abcdefghijklmn", "token abcdefghijklmn", "[AUTHORIZATION]"),
        (
            "PRIVATE_KEY",
            "-----BEGIN-----\nMIIEvQIBADANBgkq\n-----END-----",
            "MIIEvQIBADANBgkq",
            "[PRIVATE_KEY]",
        ),
        ("DB_PASSWORD", "832917", "832917: no such user", "[DB_PASSWORD]"),
    ],
)
def test_secrets_within_values(name, value, text, shown):
    assert shown in Redactor({name: value}).text(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_TOKEN", "128000"),
        ("API_KEY", "none"),
        ("TOKEN", "true"),
        ("HF_TOKEN", ""),
        ("KEY_FILE", "/usr/bin"),
    ],
)
def test_ordinary_values_are_left_in_texts(name, value):
    text = f"{value} 128000 none true /usr/bin/python"
    assert Redactor({name: value}).text(text) == text


def test_a_short_secret_is_no_part_of_a_longer_word():
    redactor = Redactor({"DB_PASSWORD": "hunter2"})
    assert redactor.text("hunter2, hunter23, 'hunter2'") == "[DB_PASSWORD], hunter23, '[DB_PASSWORD]'"


@given(
    st.text(min_size=12, max_size=40).map(str.strip).filter(lambda s: len(s) >= 12 and not s.isdigit()),
    st.lists(st.text(max_size=20), max_size=5),
)
def test_data_holds_no_secret_and_keeps_its_shape(secret, texts):
    redactor = Redactor({"SOME_SECRET": secret})
    data = {"a": [secret, *texts, 3, None, True], secret: {"b": f"x{secret}y", "n": 1.5}}
    taken = json.dumps(redactor.data(data), ensure_ascii=False)
    assert secret not in json.loads(taken).get("a")[0] and len(json.loads(taken)["a"]) == len(texts) + 4


@given(
    st.lists(st.sampled_from([b"step 1\n", b"s", b"sk-", b"\r", b"0", SECRET.encode()]), max_size=12),
    st.data(),
)
def test_a_log_that_comes_in_pieces_holds_no_secret(tmp_path_factory, pieces, data):
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    redactor, pending, written = Redactor({"A_TOKEN": SECRET}), b"", b""
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        ready, pending = redactor.output(pending + whole[start:end])
        written += ready
    assert written + pending == whole.replace(SECRET.encode(), b"[A_TOKEN]")


def test_a_log_file_holds_no_secret(planted, tmp_path):
    log = CappedLog(tmp_path / "log.txt")
    for piece in (b"using sk-can", SECRET.encode()[6:] + b" now\n", b"the end: sk-"):
        log.write(piece)
    log.close()
    assert (tmp_path / "log.txt").read_bytes() == b"using [SERVICE_API_TOKEN] now\nthe end: sk-"


@given(cuts=st.lists(st.integers(0, 60), max_size=8))
def test_a_text_that_comes_in_pieces_holds_no_secret(cuts):
    redactor = Redactor({"A_TOKEN": "canary-0123456789"}, known=["canary-of-a-server"])
    whole = "see canary-of-a-server and canary-0123456789 or canary-of"
    places = sorted({0, *cuts, len(whole)})
    shown, held = [], ""
    for start, end in zip(places, places[1:], strict=False):
        ready, held = redactor.pieces(held + whole[start:end])
        shown.append(ready)
    assert "".join(shown) + held == "see [key] and [A_TOKEN] or canary-of"


def test_a_record_holds_no_secret_that_its_process_did_not_know(planted, tmp_path, monkeypatch):
    with monkeypatch.context() as unplanted:
        unplanted.delenv("SERVICE_API_TOKEN")
        refresh()
        crashed = Outcome(TrialState.COMPLETED, {"loss": 1.0, SECRET: 2.0}, notes=(SECRET,), traceback=SECRET)
        record_outcome(tmp_path, crashed, Stamp(3, 1, "digest"))
    refresh()
    before = (tmp_path / "result.json").read_text()
    take_secrets_out_of_record(tmp_path)
    after = (tmp_path / "result.json").read_text()
    assert "canary" in before and "canary" not in after
    outcome = read_outcome(tmp_path, Stamp(3, 1, "digest"))
    assert outcome is not None and outcome.values == {"loss": 1.0, "[SERVICE_API_TOKEN]": 2.0}
