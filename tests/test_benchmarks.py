"""The benchmark runner: that it measures, checks and reports; no time is asserted."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lamina import _core, config
from lamina._bench import timing
from lamina._bench.limits import copy_bandwidth, handover
from lamina._bench.network import Network

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
QUICK = ("--rounds", "1", "--seconds", "0.01", "--threads", "1")


def run(*words: str, folder: Path, benchmarks: Path = BENCHMARKS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(benchmarks / "run.py"), *words],
        cwd=folder,
        env=dict(os.environ, PYTHONIOENCODING="utf-8"),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def case(name: str) -> Any:
    from cases import CASES

    return next(case for case in CASES if case.name == name)


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

    assert tiny["limit"]["flops"] == 2 * 364 * (2 * 30 * 10 + 3 * 10 * 1)
    assert tiny["limit"]["fma"] == pytest.approx(tiny["limit"]["flops"] / result["limits"]["fma"]["1"] * 1e6)
    assert tiny["limit"]["blas"] == result["limits"]["blas"]["1"]["tiny"] > 0
    assert set(result["limits"]["copy"]["1"]) >= {"memory"}

    table = subprocess.run(
        [sys.executable, "-X", "utf8", str(BENCHMARKS / "report.py"), str(path)],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert table.stdout.strip() in done.stdout


def test_other_kinds_of_cases_agree_with_numpy(tmp_path: Path) -> None:
    """Kernels, the loop by hand, several models, calls: checked against NumPy and against one another."""
    path = tmp_path / "result.json"
    kernels = ["matmul", "sigmoid", "softmax", "softmax_grad", "crossentropy", "sgd", "adam"]
    others = ["by_hand", "many16", "call1", "memory", "size"]
    peers = ["lamina", "ops", "lamina_many", "numpy", "numpy64"]
    done = run(
        "--cases", *kernels, *others, "--peers", *peers, *QUICK, "--output", str(path), folder=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
    for name in kernels:
        assert list(cases[name]["peers"]) == ["ops", "numpy"]
        assert len(cases[name]["peers"]["numpy"]["check_output"]) > 1
    assert list(cases["by_hand"]["peers"]) == ["ops", "numpy", "numpy64"]
    assert "lamina" in cases["many16"]["peers"]
    assert cases["size"]["peers"]["lamina"]["time"]["median"] > 1
    # 60,000 pictures as bytes (47 MB), once: neither a float32 copy (188 MB) nor the file beside them.
    bytes_only = cases["memory"]["peers"]["numpy"]["time"]["median"]
    assert 47 < bytes_only < 47 + 40 + 40  # Python with NumPy takes some 40 MB


def test_a_peer_that_computes_something_else_is_reported(tmp_path: Path) -> None:
    """A whole run in which NumPy starts from other weights."""
    copied = shutil.copytree(BENCHMARKS, tmp_path / "benchmarks")
    peer = copied / "peers" / "numpy_by_hand.py"
    text = peer.read_text(encoding="utf-8")
    assert "NumpyProgram(case, weights," in text
    peer.write_text(text.replace("(case, weights,", "(case, [1.01 * w for w in weights],"), encoding="utf-8")
    words = ["--cases", "tiny", "--peers", "lamina", "numpy", "--no-save", *QUICK]
    done = run(*words, folder=tmp_path, benchmarks=copied)
    assert done.returncode == 1
    assert "WRONG: tiny: check_loss of numpy is" in done.stdout
    assert "WRONG: tiny: outputs of numpy after the check are not those of lamina" in done.stdout


def test_the_profile_adds_up_to_the_step(tmp_path: Path) -> None:
    done = run("--profile", "--cases", "tiny", "import", *QUICK, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("**tiny** 30-10s-1, SGD, all 364 rows a step: ")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[4:]]
    assert rows[-1][0] == "between the verbs"
    assert {row[0]: row[1] for row in rows}["loss"] == "1"  # calls a step
    step = float(lines[0].split(": ")[1].split(" µs")[0].replace(",", ""))
    parts = sum(float(row[2].replace(",", "")) for row in rows)
    assert parts == pytest.approx(step, rel=0.02)  # each is printed with three digits


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--cases", "none"), "none: neither a group (training, calls, "),
        (("--rounds", "0"), "need rounds >= 1"),
        (("--threads", "100000"), "need rounds >= 1"),
        (("--peers", "nobody"), "invalid choice: 'nobody'"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr


def test_cases_are_chosen_by_name_and_by_group() -> None:
    from cases import CASES, chosen

    assert [case.name for case in chosen(["XL", "many_models"])] == ["XL", "many4", "many16"]
    assert chosen([]) == list(CASES)
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_peer_of_a_case_is_known_and_programmed() -> None:
    from cases import CASES
    from peers import PEERS

    assert {name for case in CASES for name in case.peers + case.cuda_peers} == set(PEERS)
    for peer in PEERS.values():
        assert (BENCHMARKS / (peer.module.replace(".", "/") + ".py")).is_file()
    for one in CASES:
        assert one.kind != "import" or all(PEERS[name].imports for name in one.peers)


def rounds(loss: float, time: float) -> list[dict[str, Any]]:
    return [
        {"times": [time * part for part in (1.0, 3.0, 2.0)], "check_loss": loss, "check_output": [loss / 2]}
    ]


def test_a_wrong_answer_is_a_fault() -> None:
    import summary

    right = summary.summarised(case("A"), {"lamina": rounds(0.5, 10), "numpy": rounds(0.500001, 30)}, {})
    assert right["faults"] == []
    assert right["peers"]["numpy"]["time"]["median"] == 60
    assert right["peers"]["numpy"]["ratio"]["median"] == 3
    for loss in (0.51, float("nan")):
        wrong = summary.summarised(case("A"), {"lamina": rounds(0.5, 10), "numpy": rounds(loss, 30)}, {})
        assert len(wrong["faults"]) == 2
        assert wrong["faults"][0].startswith("A: check_loss of numpy is")
        assert "outputs of numpy" in wrong["faults"][1]


def test_a_wrong_validation_is_a_fault() -> None:
    import summary

    runs = {"lamina": rounds(0.5, 1), "numpy": rounds(0.5, 1)}
    runs["lamina"][0]["epoch_val_loss"], runs["numpy"][0]["epoch_val_loss"] = 0.5, 0.6
    faults = summary.summarised(case("validated"), runs, {})["faults"]
    assert faults == ["validated: epoch_val_loss of numpy is 0.6, that of lamina 0.5"]


def test_a_peer_that_fails_is_a_fault() -> None:
    import summary

    found = summary.summarised(case("A"), {"lamina": rounds(0.5, 10), "keras": [{"error": "no module"}]}, {})
    assert found["faults"] == ["A, keras: no module"]
    assert list(found["peers"]) == ["lamina"]
    other = summary.summarised(case("A"), {"lamina": [{"error": "no"}], "keras": rounds(0.5, 10)}, {})
    assert other["peers"]["keras"]["ratio"]["median"] == 1


def test_what_an_installed_version_lacks_is_missing_and_no_fault() -> None:
    import summary

    runs = {"lamina": [{"missing": "lamina.train_many"}], "keras": rounds(0.5, 10)}
    found = summary.summarised(case("many4"), runs, {})
    assert (found["missing"], found["faults"]) == ({"lamina": "lamina.train_many"}, [])


@pytest.mark.parametrize("printed", ["", "no times"])
def test_a_worker_that_prints_no_times_is_a_fault(printed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import rounds

    done = subprocess.CompletedProcess([], 0, stdout=printed, stderr="")
    monkeypatch.setattr(rounds.subprocess, "run", lambda *words, **options: done)
    found = rounds.fresh_process(case("A"), "numpy", rounds.Settings(1, 0.1, 1), Path())
    assert found == {"error": f"expected JSON as the last line printed, got {printed!r}"}


def test_the_error_of_a_worker_is_told(tmp_path: Path) -> None:
    import rounds

    found = rounds.fresh_process(case("tiny"), "numpy", rounds.Settings(1, 0.1, 1), tmp_path)  # without data
    assert "FileNotFoundError" in found["error"]


def test_peers_take_turns_and_one_thread_is_not_measured_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    import rounds

    told: list[tuple[str, int]] = []

    def fresh_process(case: Any, name: str, settings: Any, folder: Path) -> dict[str, Any]:
        told.append((name, settings.threads_of(case, name)))
        return {"times": [1.0]}

    monkeypatch.setattr(rounds, "fresh_process", fresh_process)
    present = ["lamina", "lamina_1", "numpy"]
    runs = rounds.interleaved([case("A")], present, rounds.Settings(2, 0.1, 2), Path())
    assert told[:3] == [("lamina", 2), ("lamina_1", 1), ("numpy", 2)]
    assert told[3:] == [("lamina_1", 1), ("numpy", 2), ("lamina", 2)]
    assert [len(found) for found in runs["A"].values()] == [2, 2, 2]
    told.clear()
    rounds.interleaved([case("A")], present, rounds.Settings(1, 0.1, 1), Path())
    assert told == [("lamina", 1), ("numpy", 1)]


def test_busy_processes_end_with_the_block() -> None:
    import rounds

    with rounds.busy_processes(2) as processes:
        assert [process.poll() for process in processes] == [None, None]
    assert all(process.poll() is not None for process in processes)


def test_a_missing_peer_is_named(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import peers
    import report
    import rounds
    import run as runner

    monkeypatch.setattr(peers, "find_spec", lambda name: None if name == "tensorflow" else name)
    monkeypatch.setattr(rounds, "interleaved", lambda cases, *rest: {case.name: {} for case in cases})
    monkeypatch.setattr(rounds, "limits", lambda *words: {"fma": {}, "copy": {}, "blas": {}})
    monkeypatch.setattr(report, "whole", lambda result: f"not installed: {result['missing']}")
    monkeypatch.setattr(sys, "argv", ["run.py", "--cases", "import", "--no-save"])
    assert runner.main() == 0
    printed = capsys.readouterr().out
    assert "missing: Keras (needs the modules tensorflow, keras)" in printed
    assert "not installed: ['Keras']" in printed


def test_numbers_have_three_digits() -> None:
    import report

    words = [report.number(value) for value in (1234.5, 123.4, 12.345, 0.0123456, 347123)]
    assert words == ["1,230", "123", "12.3", "0.0123", "347,000"]


def test_the_operations_of_a_step_are_those_of_its_products() -> None:
    network = Network(units=(784, 100, 10), batch_size=32)
    assert [tuple(product) for product in network.products] == [
        ("forward", 32, 784, 100),
        ("dw", 784, 32, 100),
        ("forward", 32, 100, 10),
        ("dw", 100, 32, 10),
        ("dx", 32, 10, 100),
    ]
    assert network.flops == 2 * 32 * (2 * 784 * 100 + 3 * 100 * 10)


def test_the_limits_of_a_call_and_of_a_kernel() -> None:
    import summary
    from cases import chosen

    found = {
        "fma": {"2": 1e11},
        "copy": {"2": {"L1": 4e11, "L2": 2e11, "L3": 1e11, "memory": 1e10}},
        "caches": {"L1": 32768, "L2": 524288, "L3": 4194304},
        "blas": {},
    }

    def limit(name: str) -> dict[str, float]:
        return summary.limit_of(*chosen([name]), found, 2)

    flops = 2 * 60000 * (784 * 100 + 100 * 10)
    assert limit("predict60k") == pytest.approx({"flops": flops, "fma": flops / 1e5})
    assert limit("matmul") == pytest.approx({"flops": 5017600, "fma": 50.176})
    # Two arrays of 12,800 bytes lie in the first level of two threads; w and dw of sgd, read, and w written,
    # in the second; four arrays of 4 MB in memory, of which three are written too.
    assert limit("sigmoid") == pytest.approx({"bytes": 25600, "memory": 25600 / 4e5})
    assert limit("sgd") == pytest.approx({"bytes": 3 * 313600, "memory": 3 * 313600 / 2e5})
    assert limit("adam1M") == {"bytes": 7 << 22, "memory": pytest.approx((7 << 22) / 1e4)}
    assert limit("import") == {}
    found["caches"]["L3"] = 2 << 22  # of all threads together
    assert limit("adam1M")["memory"] == pytest.approx((7 << 22) / 1e4)
    found["caches"]["L3"] = 4 << 22
    assert limit("adam1M")["memory"] == pytest.approx((7 << 22) / 1e5)
    found["caches"]["L1"] = 12800  # of each
    assert limit("sigmoid") == pytest.approx({"bytes": 25600, "memory": 25600 / 4e5})


def test_the_grid_has_whole_batches_and_is_not_timed_by_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    import rounds
    from cases import chosen

    grid = chosen(["grid"])
    assert len(grid) == 110
    assert all(case.rows % case.batch_size == 0 for case in grid)
    asked: list[list[str]] = []

    def json_of(command: list[str], threads: int, device: str = "cpu") -> dict[str, Any]:
        asked.append(command)
        return {"fma": 1.0, "copy": {}, "caches": {}} if command[-1] == "machine" else {}

    monkeypatch.setattr(rounds, "_json_of", json_of)
    rounds.limits([*chosen(["A"]), *grid], ["numpy"], rounds.Settings(1, 0.1, 1))
    assert [command[-1] for command in asked] == ["machine", "A"]


def test_the_handovers_of_the_rounds_are_kept_and_told() -> None:
    import report
    import summary

    runs = {"lamina": [{"times": [1.0], "handover": 30e-9}, {"times": [1.0], "handover": 90e-9}]}
    found = summary.summarised(case("A"), runs, {})
    assert found["handover"]["rounds"] == [30e-9, 90e-9]
    assert "handover" not in found["peers"]["lamina"]
    limits = {"fma": {"2": 1e9}, "copy": {"2": {"L1": 1e9}}}
    told = report.limits({"machine": {}, "limits": limits, "cases": {"A": found}})
    assert told.endswith("in each round, in 30 to 90 ns, median 60 ns.")


def test_a_word_is_handed_over_between_two_threads_only() -> None:
    threads = config.get_num_threads()
    try:
        config.set_num_threads(2)
        assert 1e-9 < handover() < 1e-3
        with pytest.raises(ValueError, match="rounds: expected a number from 1, got 0"):
            _core.hand_over(0)
        config.set_num_threads(1)
        with pytest.raises(ValueError, match="threads: expected 2 or more, got 1"):
            _core.hand_over(1)
    finally:
        config.set_num_threads(threads)


def test_a_pause_comes_before_each_timed_call(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(timing.time, "sleep", slept.append)
    pauses: list[int] = []
    timing.call_times(lambda: pauses.append(len(slept)), 0.001, pause=0.5)
    assert set(slept) == {0.5}
    assert pauses[-len(slept) :] == list(range(1, len(slept) + 1))
    assert set(pauses[: -len(slept)]) == {0}  # the warm-up goes without


def test_the_limits_count_what_they_do() -> None:
    threads, isa = config.get_num_threads(), config.build_info()["isa"]
    try:
        config.set_isa("baseline")
        for n in (1, 2):
            config.set_num_threads(n)
            assert _core.peak_multiply_add(1000) == n * 1000 * 12 * 4 * 2  # sums, lanes, two operations each
        assert copy_bandwidth(1 << 14) > 0
        blocks = _core.CopyBlocks(1024)
        config.set_num_threads(1)
        with pytest.raises(ValueError, match="threads: expected 2 as when the blocks were made, got 1"):
            blocks.copy(1)
    finally:
        config.set_num_threads(threads)
        config.set_isa(isa)
    with pytest.raises(ValueError, match="size: expected a multiple of 1024, got 1000"):
        _core.CopyBlocks(1000)
    with pytest.raises(ValueError, match="rounds: expected a number from 1, got 0"):
        _core.peak_multiply_add(0)
