"""Data files: what is read, and how faults are told. Hostile ones stay data."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith import DataCard
from tunesmith.data_card import reading, table
from tunesmith.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def fault():
    def fault(path, target=None, task=None):
        with pytest.raises(DataError) as caught:
            DataCard.from_file(path, target, task=task)
        text = str(caught.value)
        assert str(path) in text and len(text) < 1000 and caught.value.exit_code == 2
        assert pickle.loads(pickle.dumps(caught.value)).line == caught.value.line
        return caught.value

    return fault


ROWS = "age,city,label\n31,Rome,yes\n40,Oslo,no\n?,,yes\n22,Rome,yes\n"


@pytest.mark.parametrize("target", ["label", 2, "2", -1])
def test_a_csv_is_read_with_its_target_by_name_or_place(write, target):
    card = DataCard.from_file(write("a.csv", ROWS), target)
    assert (card.samples, card.numeric, card.categorical) == (4, 1, 1)
    assert card.classes == (("no", 1), ("yes", 3)) and card.missing == pytest.approx(2 / 8)
    assert [f.name for f in card.listed] == ["age", "city"] and card.listed[0].mean == pytest.approx(31)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", ROWS.replace(",", "\t")),
        ("a.csv", ROWS.replace(",", ";")),
        ("a.csv", "\ufeff" + ROWS.replace("\n", "\r\n")),
        ("a.CSV", ROWS.replace("Rome", '"Rome, old ""town""\nand more"') + "\n\n"),
    ],
    ids=["tabs", "semicolons", "as from a spreadsheet", "quotes, line breaks in cells, blank lines"],
)
def test_the_usual_dialects_give_the_same_card(write, name, text):
    assert DataCard.from_file(write(name, text), "label") == DataCard.from_file(write("b.csv", ROWS), "label")


def test_numbers_without_a_header_are_read_as_arrays_are(write, tmp_path):
    X = np.random.default_rng(0).normal(size=(3000, 4))  # more than one chunk
    X[:, 3] = X[:, 3] > 0
    text = "\n".join(",".join(map(repr, map(float, row))) for row in X)
    np.save(tmp_path / "a.npy", X)
    np.savez_compressed(tmp_path / "a.npz", X=np.asfortranarray(X[:, :3]), label=X[:, 3])
    from_text = DataCard.from_file(write("a.csv", text), 3)
    assert from_text == DataCard.from_arrays(X[:, :3], X[:, 3])
    assert from_text == DataCard.from_file(tmp_path / "a.npy", 3)
    assert from_text == DataCard.from_file(tmp_path / "a.npz", "label")


def test_a_file_longer_than_the_limit_is_read_so_far_and_the_card_says_so(write, monkeypatch):
    monkeypatch.setattr(reading, "MOST_ROWS", 10)
    card = DataCard.from_file(write("a.csv", "a\n" + "1\n2\n" * 6))
    assert card.more_samples and card.samples == 10 and card.words().startswith("at least 10 samples")
    assert table.MOST_ROWS == 200_000


def test_a_wrong_target_is_told_with_the_columns_there_are(write, fault):
    error = fault(write("a.csv", ROWS), "lable")
    assert error.place == "lable" and "age, city, label" in error.problem
    assert fault(write("b.csv", ROWS), 3).place == "3"


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("a,b\n1,2\n1,2,3\n", 3, "has 3 cells where the first line has 2"),
        ("a,b\n1,2\n\xff\n".encode("latin-1"), None, "not UTF-8"),
        ('a,b\n1,"' + "x" * 200_000 + '"\n', 2, "not a table"),
        ("", None, "is empty"),
        ("a,b\n", None, "no samples"),
        ("," * 100_001 + "\n", 1, "100,002 columns"),
    ],
    ids=["ragged", "bytes", "a huge cell", "empty", "only a header", "columns"],
)
def test_a_bad_text_file_is_told_with_line_and_fix(write, fault, content, line, problem):
    error = fault(write("a.csv", content))
    assert problem in error.problem and error.fix and (line is None or error.line == line)


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("/tmp/this-must-not-exist-data-card",))


def _npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def _header(text):
    body = text.encode() + b" " * (118 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


def _zip(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


PICKLE = _npy(np.array([Evil()], dtype=object), allow_pickle=True)
HUGE = _header("{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000), }")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.npy", PICKLE, "object values"),
        ("a.npz", _zip({"X.npy": PICKLE}), "object values"),
        ("a.npy", HUGE, "would fill 80,000,000,000 bytes"),
        ("a.npz", _zip({"X.npy": HUGE + b"\0" * 10_000_000}), "would fill"),
        ("a.npy", _header("{'descr': '<f8', 'fortran_order': False, 'shape': (9,), }"), "cut short"),
        ("a.npy", _header("{'descr': '<f8', 'fortran_order': False, 'shape': (-9,), }"), "shape"),
        ("a.npy", _header("__import__('os').mkdir('/tmp/this-must-not-exist-data-card')"), "numpy"),
        ("a.npy", pickle.dumps(Evil()), "numpy"),
        ("a.npy", b"", "numpy"),
        ("a.npy", _npy(np.zeros(3, dtype=[("a", "f8")])), "records"),
        ("a.npy", _npy(np.zeros((0, 3))), "shape"),
        ("a.npz", b"no archive", "not a .npz"),
        ("a.npz", _zip({"X.npy": _npy(np.arange(999.0))}).replace(b"\x00\x08", b"\x00\x09"), "not a .npz"),
        ("a.npz", _zip({"note.txt": b"hello"}), "holds no arrays"),
        ("a.npz", _zip({"a.npy": _npy(np.eye(2)), "b.npy": _npy(np.eye(2))}), "not clear which array"),
        ("a.pkl", pickle.dumps(Evil()), "not of a kind"),
    ],
)  # fmt: skip
def test_a_bad_or_hostile_array_file_is_refused(write, fault, name, content, problem):
    assert problem in fault(write(name, content)).problem
    assert not os.path.exists("/tmp/this-must-not-exist-data-card")


@settings(max_examples=80)
@given(content=st.binary(max_size=200) | st.text('a1,;\t"\n.-e\0', max_size=80).map(str.encode))
@pytest.mark.parametrize("name", ["f.csv", "f.npy", "f.npz"])
def test_any_bytes_give_a_card_or_a_typed_error(tmp_path_factory, name, content):
    path = tmp_path_factory.getbasetemp() / f"{os.getpid()}-{name}"
    path.write_bytes(content)
    try:
        card = DataCard.from_file(path, 0)
    except DataError:
        return
    assert card.samples >= 1 and card.words()


def test_words_cannot_be_the_target_of_a_regression(write, fault):
    path = write("d.csv", "age,city\n1,Bern\n2,Genf\n3,Bern\n")
    assert "city: holds words, so no regression can predict it." in str(fault(path, "city", "regression"))
    assert DataCard.from_file(path, "age", task="regression").task == "regression"


def test_a_column_that_turns_to_words_late_is_categorical(write):
    text = "a,b\n" + "1,2\n" * 2500 + "x,2\n"
    card = DataCard.from_file(write("a.csv", text))
    assert (card.numeric, card.categorical, card.task) == (1, 1, None)


def test_a_wrong_array_name_and_arrays_of_two_lengths_are_told(write, fault):
    path = write("a.npz", _zip({"X.npy": _npy(np.eye(3)), "y.npy": _npy(np.ones(2))}))
    assert "X, y" in fault(path, "z").problem
    assert "each of the 3 samples" in fault(path, "y").problem
