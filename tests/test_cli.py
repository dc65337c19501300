"""The command `lamina`, as a real process."""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import lamina
from lamina.keras.datasets import fashion_mnist


def run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m lamina` with these words, in a folder of its own."""
    environment = dict(os.environ, PYTHONIOENCODING="utf-8", **variables)
    return subprocess.run(
        [sys.executable, "-m", "lamina", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def without(module: str, folder: Path) -> str:
    """A PYTHONPATH on which the module is not to be found, as where it is not installed."""
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {module!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hide())\n"
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        f"util.find_spec = lambda name, package=None: None if name == {module!r} else found(name, package)\n"
    )
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


def accuracy(output: str) -> float:
    found = re.search(r"test accuracy (\d\.\d+), loss \d+\.\d+; trained in \d+\.\d+ s", output)
    assert found, output
    return float(found[1])


def test_version(tmp_path: Path) -> None:
    done = run("--version", folder=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, f"lamina {lamina.__version__}")


def test_the_installed_command_is_this_one() -> None:
    try:
        points = distribution("lamina").entry_points
    except PackageNotFoundError:
        pytest.skip("lamina is on the path, but not installed")
    assert [(point.name, point.value) for point in points] == [("lamina", "lamina.__main__:main")]


def test_info_tells_the_build_and_the_machine(tmp_path: Path) -> None:
    done = run("info", folder=tmp_path, LAMINA_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    build = lamina.config.build_info()
    rows = dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in done.stdout.splitlines()[1:])
    assert done.stdout.startswith(f"Lamina {lamina.__version__}\n")
    assert build["compiler"] in rows["compiler"]
    assert rows["kernels built for"].split() == build["isa_built"]
    assert rows["this machine has"].split() == build["isa_available"]
    assert rows["chosen"] in rows["this machine has"].split()
    assert rows["threads"] == "1"
    assert rows["CUDA"] == ("built in" if build["cuda"] else "not built in")


def test_info_follows_lamina_isa(tmp_path: Path) -> None:
    done = run("info", folder=tmp_path, LAMINA_ISA="baseline")
    assert re.search(r"^ +chosen +baseline$", done.stdout, re.MULTILINE), done.stdout + done.stderr


def test_demo_learns_the_digits_and_draws(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run("demo", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "digits: 1,437 images of 8x8 to learn from, 360 for the test" in done.stdout
    assert "40/40" in done.stdout  # the progress bar, at its end
    assert accuracy(done.stdout) > 0.95
    assert "picture: lamina-demo.png" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["lamina-demo.png"]
    image = pytest.importorskip("matplotlib.image").imread(tmp_path / "lamina-demo.png")
    assert image.shape[:2] == (750, 1000)
    assert image.std() > 0.05  # something is drawn


def test_demo_gives_the_same_result_each_time(tmp_path: Path) -> None:
    results = {
        re.search(r"test accuracy .*?;", run("demo", "--epochs", "2", folder=tmp_path).stdout)[0]  # type: ignore[index]
        for _ in range(2)
    }
    assert len(results) == 1


def test_demo_options(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run("demo", "--epochs", "3", "--output", "picture.svg", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3/3" in done.stdout
    assert (tmp_path / "picture.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")


@pytest.mark.skipif(not fashion_mnist.DEBIAN.is_dir(), reason="needs the package dataset-fashion-mnist")
def test_demo_on_fashion_mnist(tmp_path: Path) -> None:
    done = run("demo", "--data", "fashion_mnist", "--epochs", "1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert accuracy(done.stdout) > 0.80


def test_demo_without_matplotlib_says_so(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    path = without("matplotlib", tmp_path)
    done = run("demo", folder=work, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert accuracy(done.stdout) > 0.95
    assert "matplotlib is not installed" in done.stdout
    asked = run("demo", "--output", "picture.png", folder=work, PYTHONPATH=path)
    assert asked.returncode == 1
    assert "--output needs matplotlib" in asked.stderr
    assert asked.stdout == ""  # known before the training
    assert not list(work.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "required"),
        (("fly",), "invalid choice: 'fly'"),
        (("demo", "--data", "cifar"), "argument --data: invalid choice: 'cifar' (choose from"),
        (("demo", "--epochs", "0"), "argument --epochs: expected a whole number from 1, got '0'"),
        (("bench", "--seconds", "0"), "argument --seconds: expected seconds, more than 0, got '0'"),
        (("demo", "--epochs", "many"), "argument --epochs: expected a whole number from 1, got 'many'"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("usage: lamina")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("missing/picture.png", "there is no folder missing"),
        ("picture.xyz", "expected a file name ending in"),
    ],
)
def test_impossible_picture_is_refused_before_the_training(output: str, message: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run("demo", "--output", output, folder=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stdout == ""


def test_data_that_is_not_to_be_had(tmp_path: Path) -> None:
    refused = "http://127.0.0.1:9"  # the discard port: nothing listens
    done = run(
        "demo",
        "--data",
        "mnist",
        folder=tmp_path,
        KERAS_HOME=str(tmp_path),
        https_proxy=refused,
        HTTPS_PROXY=refused,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("lamina demo: MNIST is not here")
    assert str(tmp_path / "datasets" / "mnist.npz") in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_the_commands(tmp_path: Path) -> None:
    done = run("--help", folder=tmp_path)
    assert done.returncode == 0
    assert "info" in done.stdout
    assert "demo" in done.stdout


def test_bench_times_what_is_there(tmp_path: Path) -> None:
    path = without("tensorflow", tmp_path)
    one = {"LAMINA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = run("bench", "--seconds", "0.01", folder=tmp_path, PYTHONPATH=path, **one)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(
        rf"Lamina {re.escape(lamina.__version__)}, \w+, 1 threads; FMA peak \d+ GFLOP/s", lines[0]
    )
    assert "Keras: not installed" in lines[1]
    assert lines[2].split("  ")[-1] == "NumPy by hand"
    row = r"784-100s-10, SGD, batch 32 +[\d.,]+ [µm]s/step +\d+% +[\d.,]+ [µm]s/step  × [\d.e+]+"
    assert re.fullmatch(row, lines[3]), lines[3]
    assert re.fullmatch(r"784-100s-10, predict of one row +[\d.]+ µs/call +[\d.]+ µs/call  × .+", lines[7])


def test_bench_reports_a_wrong_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lamina._bench.by_hand import NumpyProgram
    from lamina._cli import bench

    step = NumpyProgram.train_step
    monkeypatch.setattr(NumpyProgram, "train_step", lambda self, x, y: 1.001 * step(self, x, y))
    monkeypatch.setattr(bench, "find_spec", lambda name: None)
    monkeypatch.setattr(bench, "TABLE", bench.TABLE[-2:-1])
    assert bench.run(0.001) == 1
    assert (
        "WRONG: 30-10s-1, all 364 rows a step: NumPy by hand computes something else"
        in capsys.readouterr().out
    )
