"""The benchmark runner: that it measures, checks and reports; no time is asserted."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / "run.py"), *words],
        cwd=folder,
        env=dict(os.environ, PYTHONIOENCODING="utf-8"),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def runner() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import run

        yield run


def test_a_run_compares_checks_and_saves(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    words = ["--cases", "tiny", "import", "--peers", "lamina", "numpy", "--rounds", "2", "--seconds", "0.02"]
    done = run(*words, "--threads", "1", "--output", str(path), folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| **tiny** 30-10s-1, SGD, all 364 rows a step |" in done.stdout

    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["machine"]["threads"] == 1
    assert set(result["peers"]) == {"lamina", "numpy"}
    tiny = result["cases"]["tiny"]
    assert tiny["faults"] == []
    lamina, numpy = tiny["peers"]["lamina"], tiny["peers"]["numpy"]
    assert len(lamina["time"]["rounds"]) == len(numpy["ratio"]["rounds"]) == 2
    assert lamina["ratio"]["median"] == 1
    assert numpy["ratio"]["rounds"][0] == numpy["time"]["rounds"][0] / lamina["time"]["rounds"][0]
    assert numpy["check_loss"] == pytest.approx(lamina["check_loss"], rel=1e-4)
    assert list(result["cases"]["import"]["peers"]) == ["lamina"]

    table = subprocess.run(
        [sys.executable, str(BENCHMARKS / "report.py"), str(path)],
        env=dict(os.environ, PYTHONIOENCODING="utf-8"),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert table.stdout.strip() in done.stdout


@pytest.mark.parametrize("words", [("--cases", "none"), ("--rounds", "0"), ("--threads", "100000")])
def test_wrong_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    assert run(*words, folder=tmp_path).returncode == 2


def rounds(loss: float, time: float) -> list[dict[str, Any]]:
    return [
        {"times": [time * part for part in (1.0, 3.0, 2.0)], "check_loss": loss, "check_output": [loss / 2]}
    ]


def test_a_wrong_answer_is_a_fault(runner: Any) -> None:
    case = runner.CASES[0]
    right = runner._summary(case, {"lamina": rounds(0.5, 10), "numpy": rounds(0.500001, 30)})
    assert right["faults"] == []
    assert right["peers"]["numpy"]["time"]["median"] == 60
    assert right["peers"]["numpy"]["ratio"]["median"] == 3
    for loss in (0.51, float("nan")):
        wrong = runner._summary(case, {"lamina": rounds(0.5, 10), "numpy": rounds(loss, 30)})
        assert len(wrong["faults"]) == 2
        assert wrong["faults"][0].startswith("A: check_loss of numpy is")
        assert "outputs of numpy" in wrong["faults"][1]


def test_a_peer_that_fails_is_a_fault(runner: Any) -> None:
    found = runner._summary(runner.CASES[0], {"lamina": rounds(0.5, 10), "keras": [{"error": "no module"}]})
    assert found["faults"] == ["A, keras: no module"]
    assert list(found["peers"]) == ["lamina"]
    other = runner._summary(runner.CASES[0], {"lamina": [{"error": "no"}], "keras": rounds(0.5, 10)})
    assert other["peers"]["keras"]["ratio"]["median"] == 1


@pytest.mark.parametrize("printed", ["", "no times"])
def test_a_worker_that_prints_no_times_is_a_fault(
    runner: Any, monkeypatch: pytest.MonkeyPatch, printed: str, tmp_path: Path
) -> None:
    done = subprocess.CompletedProcess([], 0, stdout=printed, stderr="")
    monkeypatch.setattr(runner.subprocess, "run", lambda *words, **options: done)
    options = runner.argparse.Namespace(threads=1, seconds=0.1)
    found = runner._fresh_process(runner.CASES[0], "numpy", None, options, tmp_path)
    assert found == {"error": f"expected times as the last line printed, got {printed!r}"}


def test_a_missing_peer_is_named(runner: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import report

    monkeypatch.setattr(runner, "find_spec", lambda name: None if name == "tensorflow" else name)
    monkeypatch.setattr(
        runner, "_interleaved", lambda cases, present, *rest: {case.name: {} for case in cases}
    )
    monkeypatch.setattr(report, "table", lambda result: f"not installed: {result['missing']}")
    monkeypatch.setattr(sys, "argv", ["run.py", "--cases", "import", "--no-save"])
    assert runner.main() == 0
    printed = capsys.readouterr().out
    assert "missing: Keras (needs the module tensorflow)" in printed
    assert "not installed: ['keras']" in printed


def test_numbers_have_three_digits(runner: Any) -> None:
    import report

    words = [report._number(value) for value in (1234.5, 123.4, 12.345, 0.0123456, 347123)]
    assert words == ["1,230", "123", "12.3", "0.0123", "347,000"]
