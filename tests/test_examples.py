"""The programs of `examples/`, shortened; and the numbers that the textbook prints."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamina import ops
from lamina.keras.datasets import fashion_mnist

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(
    not fashion_mnist.DEBIAN.is_dir(), reason="needs the package dataset-fashion-mnist"
)

# Program, a pattern for the accuracies that it prints, the least that a shortened run may reach, the pictures
# that it draws. The bounds are five points under what live Keras reaches with these settings.
PROGRAMS = {
    "p0_two_layers.py": (r"validation loss .* accuracy (\S+)", 0.77, ["p0_images.png", "p0_training.png"]),
    "p1_deeper.py": (
        r"test loss .* accuracy (\S+)",
        0.76,
        ["p1_images.png", "p1_labels.png", "p1_training.png"],
    ),
    "p2_batch_size.py": (r"batch size (?:16|32) .* accuracy (\S+)", 0.75, ["p2_training.png"]),
    "p3_by_keras.py": (r"test loss .* accuracy (\S+)", 0.76, ["p3_by_keras.png"]),
    "p3_by_hand.py": (r"^test accuracy (\S+)", 0.76, ["p3_by_hand.png"]),
    "p4_keras.py": (r"(?:breast cancer|clothes).* accuracy (\S+)", 0.64, ["p4_keras.png"]),
}
KERAS_PROGRAMS = [name for name in PROGRAMS if name != "p3_by_hand.py"]


def run(program: Path, output: Path, *words: str, **variables: str) -> str:
    """Standard output of a program, which must succeed. No network: MNIST is not to be had."""
    refused = dict.fromkeys(("https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = dict(
        os.environ, PYTHONIOENCODING="utf-8", KERAS_HOME=str(output / "keras"), **refused, **variables
    )
    done = subprocess.run(
        [sys.executable, str(program), "--output", str(output), *words],
        cwd=output,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def assert_learned(name: str, printed: str) -> None:
    pattern, bound, _ = PROGRAMS[name]
    accuracies = [float(word) for word in re.findall(pattern, printed, re.MULTILINE)]
    assert accuracies, printed[-2000:]
    assert min(accuracies) > bound, accuracies


@pytest.fixture(scope="module")
def shortened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[str, Path]]:
    """What a program prints with --quick, and the folder of its pictures; each runs once."""

    @cache
    def printed(name: str) -> tuple[str, Path]:
        output = tmp_path_factory.mktemp("pictures")
        return run(EXAMPLES / name, output, "--quick"), output

    return printed


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_learns_and_draws(name: str, shortened: Callable[[str], tuple[str, Path]]) -> None:
    printed, output = shortened(name)
    assert_learned(name, printed)
    imread = pytest.importorskip("matplotlib.image").imread
    for picture in PROGRAMS[name][2]:
        assert imread(output / picture).std() > 0.02, f"{picture} is empty"
    if "p1" in name or "p3" in name:
        assert "Fashion-MNIST instead of MNIST" in printed


def test_summaries_are_the_tutorials(shortened: Callable[[str], tuple[str, Path]]) -> None:
    """Layer names, parameters and totals that the tutorials print."""
    printed, _ = shortened("p0_two_layers.py")
    assert re.search(r"hidden \(Dense\).*\(None, 100\).* 78,500 ", printed)
    assert re.search(r"output \(Dense\).*\(None, 10\).* 1,010 ", printed)
    assert "Total params: 79,510 (310.59 KB)" in printed
    printed, _ = shortened("p1_deeper.py")
    assert re.search(r"Flatten \(Flatten\).*\(None, 784\).* 0 ", printed)
    for name, count in {
        "Hidden1": "235,500",
        "Hidden2": "60,200",
        "Hidden3": "20,100",
        "Output": "1,010",
    }.items():
        assert re.search(rf"{name} \(Dense\).* {count} ", printed)
    assert "Total params: 316,810 (1.21 MB)" in printed


@pytest.mark.parametrize(("activation", "loss"), [("tanh", "crossentropy"), ("relu", "mse")])
def test_p3_by_hand_with_other_functions(activation: str, loss: str, tmp_path: Path) -> None:
    printed = run(EXAMPLES / "p3_by_hand.py", tmp_path, "--quick", "--activation", activation, "--loss", loss)
    assert_learned("p3_by_hand.py", printed)


@pytest.mark.slow
@pytest.mark.parametrize("name", KERAS_PROGRAMS)
def test_program_runs_on_tensorflow_with_one_word_changed(name: str, tmp_path: Path) -> None:
    """`sed s/lamina/tensorflow/` on the program, and live Keras learns as much."""
    pytest.importorskip("tensorflow")
    cache = tmp_path / "keras" / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True)
    for file in fashion_mnist.FILES:
        (cache / file).symlink_to(fashion_mnist.DEBIAN / file)
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    program = tmp_path / name
    program.write_text("\n".join(line.replace("lamina", "tensorflow", 1) for line in lines), encoding="utf-8")
    assert_learned(name, run(program, tmp_path, "--quick", TF_CPP_MIN_LOG_LEVEL="3"))


def test_keras_programs_import_nothing_that_only_lamina_has() -> None:
    """What they import exists in TensorFlow under the same path: every line with `lamina` is one of these."""
    allowed = {
        "from lamina import keras",
        "import lamina as tf",
        "from lamina.keras import models",
        "from lamina.keras import Sequential",
        "from lamina.keras.datasets.mnist import load_data",
        "from lamina.keras.layers import BatchNormalization, Dense, Dropout, Flatten",
        "from lamina.keras.layers import Dense",
    }
    for name in KERAS_PROGRAMS:
        lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
        assert {line for line in lines if "lamina" in line} <= allowed, name


# -- P4: the textbook's numbers ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classes() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        import p4_classes

        yield p4_classes


@pytest.fixture(scope="module")
def chapters(classes: Any) -> Any:
    import p4_chapters

    return p4_chapters


@pytest.fixture(scope="module")
def cancer(chapters: Any) -> dict[str, tuple[Any, ...]]:
    """The book's split, raw and scaled: x_train, x_val, y_train, y_val."""
    from sklearn.preprocessing import StandardScaler

    x_train, x_val, y_train, y_val = raw = chapters.split(*chapters.load_cancer())
    assert x_train.shape == (364, 30)
    assert x_val.shape == (91, 30)
    scaler = StandardScaler().fit(x_train)
    return {"raw": raw, "scaled": (scaler.transform(x_train), scaler.transform(x_val), y_train, y_val)}


def score(network: Any, data: tuple[Any, ...], epochs: int) -> float:
    x_train, x_val, y_train, y_val = data
    network.fit(x_train, y_train, epochs=epochs, x_val=x_val, y_val=y_val)
    assert len(network.losses) == len(network.val_losses) == epochs
    return float(network.score(x_val, y_val))


def test_worked_numbers() -> None:
    np.testing.assert_array_equal(ops.softmax(np.array([2.20, 1.39, 0.85])).round(2), [0.59, 0.26, 0.15])
    np.testing.assert_array_equal(ops.softmax(np.array([0.0, -1.39, -2.20])).round(2), [0.74, 0.18, 0.08])
    assert ops.sigmoid(np.array([2.20])).round(1) == 0.9


@pytest.mark.parametrize(
    ("scale", "options", "epochs", "printed"),
    [
        ("raw", {}, 100, 0.9120879),
        ("scaled", {}, 100, 0.967033),
        ("scaled", {}, 20, 0.989011),
        ("scaled", {"l1": 0.001}, 20, 0.989011),
        ("scaled", {"l2": 0.01}, 50, 0.989011),
    ],
)
def test_chapter_5(
    classes: Any, cancer: Any, scale: str, options: dict[str, float], epochs: int, printed: float
) -> None:
    layer = classes.PerSampleLayer(**options)
    assert score(layer, cancer[scale], epochs) == pytest.approx(printed, abs=5e-7)
    assert len(layer.w_history) == 1 + 364 * epochs
    assert layer.w.size + layer.b.size == 31


@pytest.mark.slow
def test_chapter_5_ten_folds(chapters: Any) -> None:
    assert chapters.ten_fold_score(*chapters.load_cancer(), epochs=50) == pytest.approx(0.9777778, abs=5e-8)


@pytest.mark.parametrize(
    ("name", "options", "epochs", "printed"),
    [
        ("SingleLayer", {}, 10000, 0.978022),
        pytest.param("DualLayer", {}, 20000, 0.978022, marks=pytest.mark.slow),
        ("MinibatchNetwork", {"batch_size": 32}, 500, 0.978022),
        ("MinibatchNetwork", {"batch_size": 128}, 500, 0.978022),
    ],
)
def test_chapter_6(
    classes: Any, cancer: Any, name: str, options: dict[str, int], epochs: int, printed: float
) -> None:
    network = getattr(classes, name)(l2=0.01, **options)
    assert score(network, cancer["scaled"], epochs) == pytest.approx(printed, abs=5e-7)


@pytest.mark.parametrize("name", ["DualLayer", "RandomInitNetwork", "MinibatchNetwork"])
def test_hidden_layer_gradients_are_those_of_the_loss(classes: Any, cancer: Any, name: str) -> None:
    """Central differences of the regularized loss, in float64.

    Their error is O(h²), 1e-10, and the loss's own over h: log(1 - a) near a = 1 loses four digits.
    """
    h = 1e-5
    network = getattr(classes, name)(l2=0.01)
    x, y = classes.as_rows(cancer["scaled"][0][:32], cancer["scaled"][2][:32])
    network.init_weights(30)
    network.w1 *= 0.1  # off the flat ends of the sigmoid, where the textbook's weights of one lie

    def loss() -> float:
        return float(
            network.mean_loss(network.summed_loss(y, network.activation(network.forpass(x))), len(x))
        )

    a = network.activation(network.forpass(x))
    w1_grad, b1_grad, w2_grad, b2_grad = network.backprop(x, -(y - a))
    w1_grad = w1_grad + network.penalty(network.w1) / len(x)
    w2_grad = w2_grad + network.penalty(network.w2) / len(x)
    for p, grad in (
        (network.w1, w1_grad),
        (network.b1, b1_grad),
        (network.w2, w2_grad),
        (network.b2, b2_grad),
    ):
        for i in range(0, p.size, max(1, p.size // 7)):
            at = np.unravel_index(i, p.shape)
            kept = p[at]
            p[at] = kept + h
            above = loss()
            p[at] = kept - h
            below = loss()
            p[at] = kept
            assert grad[at] == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-8)


def test_scalar_output_bias_never_moves(classes: Any) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 5)), np.eye(3)[rng.integers(0, 3, 60)]
    book = classes.MultiClassNetwork(units=4, batch_size=16, scalar_output_bias=True)
    book.fit(x, y, epochs=20)
    # 80 steps at rate 0.1, each moving it by the rounding of a sum of 48 terms below one
    assert np.abs(book.b2).max() < 80 * 0.1 * 48 * np.finfo(float).eps
    full = classes.MultiClassNetwork(units=4, batch_size=16)
    full.fit(x, y, epochs=20)
    assert np.abs(full.b2).max() > 1e-3
    assert np.ptp(full.b2) > 1e-3


def test_chapter_7_shortened(classes: Any, chapters: Any) -> None:
    data = chapters.load_clothes(12000)
    network = classes.MultiClassNetwork(units=100, batch_size=256, scalar_output_bias=True)
    # What the same rules give in plain NumPy, where sums round otherwise: one picture in 12,000 is 8e-5.
    assert score(network, data, 4) == pytest.approx(0.6095833, abs=5e-4)


@pytest.mark.slow
def test_chapter_7(classes: Any, chapters: Any) -> None:
    network = classes.MultiClassNetwork(units=100, batch_size=256, scalar_output_bias=True)
    assert score(network, chapters.load_clothes(48000), 40) == pytest.approx(0.8150833, abs=1e-3)


@pytest.mark.slow
def test_chapters_program_prints_the_books_accuracies(tmp_path: Path) -> None:
    printed = run(EXAMPLES / "p4_chapters.py", tmp_path)
    found = re.findall(r"accuracy (\d\.\d{7})", printed)
    assert found[:6] == ["0.9120879", "0.9670330", "0.9890110", "0.9890110", "0.9890110", "0.9777778"]
    assert found[6:11] == ["0.9780220"] * 5
    assert float(found[11]) == pytest.approx(0.8150833, abs=1e-3)
