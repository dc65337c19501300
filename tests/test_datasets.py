"""Data sets: where the files come from, and that a broken one is never taken or left behind."""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from dataset_site import Site, idx, small_fashion, small_mnist

from lamina.keras.datasets import (
    DatasetUnavailableError,
    _download,
    digits,
    fashion_mnist,
    mnist,
)

needs_debian = pytest.mark.skipif(
    not fashion_mnist.DEBIAN.is_dir(), reason="needs the package dataset-fashion-mnist"
)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()
    monkeypatch.setattr(_download, "ORIGIN", site.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield site
    site.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Keras home, and no Debian files."""
    folder = tmp_path / "keras-home"
    monkeypatch.setenv("KERAS_HOME", str(folder))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "no-debian")
    return folder


@pytest.fixture
def fashion_site(site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[str, npt.NDArray[np.uint8]]:
    """The site offers a small Fashion-MNIST, and its checksums are the expected ones."""
    arrays = small_fashion()
    for name, values in arrays.items():
        site.serve(name, gzip.compress(idx(values)))
        monkeypatch.setitem(fashion_mnist.FILES, name, hashlib.sha256(idx(values)).hexdigest())
    return arrays


@pytest.fixture
def mnist_site(site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[str, npt.NDArray[np.uint8]]:
    arrays, archive = small_mnist()
    site.serve("mnist.npz", archive)
    monkeypatch.setattr(mnist, "SHA256", hashlib.sha256(archive).hexdigest())
    return arrays


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def assert_equal(loaded: Any, arrays: dict[str, npt.NDArray[np.uint8]]) -> None:
    (x_train, y_train), (x_test, y_test) = loaded
    for got, want in zip((x_train, y_train, x_test, y_test), arrays.values(), strict=True):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, want)


# -- digits --------------------------------------------------------------------------------------------------


def test_digits_are_split_one_in_five_of_each_class() -> None:
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, y_train.shape) == ((1437, 8, 8), (1437,))
    assert (x_test.shape, y_test.shape) == ((360, 8, 8), (360,))
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert (x_train.min(), x_train.max()) == (0, 16)
    train, test = np.bincount(y_train), np.bincount(y_test)
    assert len(train) == len(test) == 10
    assert np.all(np.abs(test - (train + test) / 5) < 1)


def test_digits_are_scikit_learns() -> None:
    bunch = pytest.importorskip("sklearn.datasets").load_digits()
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    known = {
        image.tobytes(): label
        for image, label in zip(bunch.images.astype(np.uint8), bunch.target, strict=True)
    }
    assert len(known) == 1797  # all different, so that the comparison below is of the whole set
    mine = {
        image.tobytes(): label
        for x, y in ((x_train, y_train), (x_test, y_test))
        for image, label in zip(x, y, strict=True)
    }
    assert mine == known


def test_digits_are_small_and_each_call_gives_arrays_of_its_own() -> None:
    assert digits._FILE.stat().st_size < 100_000
    digits.load_data()[0][0][:] = 99
    assert digits.load_data()[0][0].max() == 16


# -- Fashion-MNIST -------------------------------------------------------------------------------------------


@needs_debian
def test_fashion_mnist_of_debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert np.array_equal(np.bincount(y_train), [6000] * 10)
    assert np.array_equal(np.bincount(y_test), [1000] * 10)
    assert x_train.mean() / 255 == pytest.approx(0.2860, abs=5e-5)  # the published mean and deviation
    assert x_train.std() / 255 == pytest.approx(0.3530, abs=5e-5)
    assert fashion_mnist.CLASS_NAMES[y_train[0]] == "Ankle boot"
    assert not list(tmp_path.iterdir())


@needs_debian
def test_fashion_mnist_is_downloaded_whole_and_keras_reads_it(
    site: Site, home: Path, live_keras: Any, capsys: Any
) -> None:
    debian = Path("/usr/share/datasets/fashion-mnist")
    for name in fashion_mnist.FILES:
        site.serve(name, (debian / name).read_bytes())
    loaded = fashion_mnist.load_data()
    assert files_below(home) == sorted(fashion_mnist.FILES)
    assert (home / "datasets" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").is_file()
    assert f"Downloading data from {site.url}train-images-idx3-ubyte.gz" in capsys.readouterr().out
    assert loaded[0][0].flags.writeable

    asked = list(site.requests)
    again = fashion_mnist.load_data()
    assert site.requests == asked
    for first, second in zip((*loaded[0], *loaded[1]), (*again[0], *again[1]), strict=True):
        np.testing.assert_array_equal(first, second)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_keras.src.backend.config, "_KERAS_DIR", str(home))
        keras_loaded = live_keras.datasets.fashion_mnist.load_data()
    for ours, theirs in zip((*loaded[0], *loaded[1]), (*keras_loaded[0], *keras_loaded[1]), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_cache_comes_before_debian_and_debian_before_the_network(
    fashion_site: dict[str, Any], site: Site, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, debian = home / "datasets" / "fashion-mnist", tmp_path / "debian"
    cache.mkdir(parents=True)
    debian.mkdir()
    monkeypatch.setattr(fashion_mnist, "DEBIAN", debian)
    name = "t10k-labels-idx1-ubyte.gz"

    assert_equal(fashion_mnist.load_data(), fashion_site)
    assert len(site.requests) == 4
    (cache / name).unlink()
    (debian / name).write_bytes(gzip.compress(idx(np.full(10, 7, np.uint8))))
    assert set(fashion_mnist.load_data()[1][1]) == {7}
    (cache / name).write_bytes(gzip.compress(idx(np.full(10, 8, np.uint8))))
    assert set(fashion_mnist.load_data()[1][1]) == {8}
    assert len(site.requests) == 4


@pytest.mark.parametrize(
    "broken",
    [
        lambda body: body[: len(body) // 2],
        lambda body: b"<html>not found</html>",
        lambda body: b"",
        lambda body: gzip.compress(gzip.decompress(body)[:-1]),
        lambda body: gzip.compress(b"\0\0\x08\x01" + gzip.decompress(body)[4:]),
    ],
    ids=["half", "html", "empty", "a value short", "other axes"],
)
def test_broken_cached_file_is_passed_over_and_replaced(
    broken: Callable[[bytes], bytes], fashion_site: dict[str, Any], site: Site, home: Path, capsys: Any
) -> None:
    cache = home / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True)
    name = "train-images-idx3-ubyte.gz"
    good = site.files[name][0]
    (cache / name).write_bytes(broken(good))
    assert_equal(fashion_mnist.load_data(), fashion_site)
    assert (cache / name).read_bytes() == good
    assert "Passing over" in capsys.readouterr().out


def test_images_and_labels_of_different_number(fashion_site: dict[str, Any], home: Path) -> None:
    cache = home / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True)
    (cache / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(59, np.uint8))))
    with pytest.raises(ValueError, match="60 images but 59 labels"):
        fashion_mnist.load_data()


# -- what goes wrong on the way ------------------------------------------------------------------------------


def cut_short(body: bytes) -> tuple[bytes, int | None]:
    return body[: len(body) // 2], len(body)


def cut_short_unannounced(body: bytes) -> tuple[bytes, int | None]:
    return body[: len(body) // 2], None


def other_bytes(body: bytes) -> tuple[bytes, int | None]:
    other = gzip.compress(idx(np.zeros((60, 28, 28), np.uint8)))
    return other, len(other)


def web_page(body: bytes) -> tuple[bytes, int | None]:
    return b"<html>please log in</html>", 26


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (cut_short, "the transfer ended after"),
        (cut_short_unannounced, "damaged"),
        (other_bytes, "sha256"),
        (web_page, "gzip"),
        (None, "404"),
    ],
)
def test_failed_download_leaves_nothing_and_says_what_to_do(
    answer: Callable[[bytes], tuple[bytes, int | None]] | None,
    reason: str,
    fashion_site: dict[str, Any],
    site: Site,
    home: Path,
) -> None:
    name = "train-images-idx3-ubyte.gz"
    body, _ = site.files.pop(name)
    if answer:
        site.files[name] = answer(body)
    with pytest.raises(DatasetUnavailableError, match=reason) as caught:
        fashion_mnist.load_data()
    assert isinstance(caught.value, OSError)
    message = str(caught.value)
    assert str(home / "datasets" / "fashion-mnist") in message
    assert "dataset-fashion-mnist" in message
    assert all(file in message for file in fashion_mnist.FILES)
    assert files_below(home) == []


def test_without_a_network(site: Site, home: Path) -> None:
    site.close()
    with pytest.raises(DatasetUnavailableError, match="cannot be downloaded") as caught:
        mnist.load_data()
    assert f"mnist.npz at {home / 'datasets' / 'mnist.npz'}" in str(caught.value)
    assert files_below(home) == []


def test_interrupted_download_leaves_nothing(
    mnist_site: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lamina.keras.utils.Progbar.update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        mnist.load_data()
    assert files_below(home) == []


# -- MNIST ---------------------------------------------------------------------------------------------------


def test_mnist_is_downloaded_once(mnist_site: dict[str, Any], site: Site, home: Path) -> None:
    assert_equal(mnist.load_data(), mnist_site)
    assert_equal(mnist.load_data(), mnist_site)
    assert site.requests == ["mnist.npz"]
    assert files_below(home) == ["mnist.npz"]


def test_mnist_under_another_name(mnist_site: dict[str, Any], site: Site, home: Path) -> None:
    assert_equal(mnist.load_data(path="my.npz"), mnist_site)
    assert files_below(home) == ["my.npz"]
    assert site.requests == ["mnist.npz"]


@pytest.mark.parametrize("path", ["", "..", "../mnist.npz", "/tmp/mnist.npz"])
def test_mnist_path_is_a_name(path: str, home: Path) -> None:
    with pytest.raises(ValueError, match="path must be a file name"):
        mnist.load_data(path)


def test_other_mnist_file_stays_until_the_download_is_good(
    mnist_site: dict[str, Any], site: Site, home: Path
) -> None:
    own = home / "datasets" / "mnist.npz"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"my own file")
    body, _ = site.files.pop("mnist.npz")
    with pytest.raises(DatasetUnavailableError, match="sha256 differs"):
        mnist.load_data()
    assert own.read_bytes() == b"my own file"
    site.serve("mnist.npz", body)
    assert_equal(mnist.load_data(), mnist_site)
    assert own.read_bytes() == body


def test_pickled_arrays_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, x_train=np.array([{}], dtype=object), y_train=0, x_test=0, y_test=0)
    monkeypatch.setattr(mnist, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        mnist.load_data()
