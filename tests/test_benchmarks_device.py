"""The benchmark runner on a GPU: what it takes, whom it names as missing, what it keeps; no time is asserted.

Whole runs use a GPU where there is one, or the emulated module (test_device.py); the rest needs neither.
"""

import ctypes
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import made_up_result
import numpy as np
import pytest
from device_data import NAMES, on_device

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
QUICK = ("--rounds", "1", "--seconds", "0.01", "--threads", "1")
CASES = ["A", "B", "C", "A256", "XL", "XL16", "tiny", "validated", "predict60k", "many16"]
LIMITS: dict[str, Any] = {
    "fma": {"bfloat16": 8e14, "float32": 5e13},
    "copy": {"cuda": {"memory": 4e12}},
    "blas": {"A": 12.0},
}


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def run(*words: str, folder: Path, benchmarks: Path = BENCHMARKS, **variables: str) -> Any:
    return subprocess.run(
        [sys.executable, str(benchmarks / "run.py"), *words],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def on_cuda(name: str) -> Any:
    from cases import chosen

    return chosen([name], "cuda")[0]


def emulating(folder: Path) -> dict[str, str]:
    """Variables by which every process finds the emulated module, as conftest.py does in this one."""
    if "LAMINA_TEST_DEVICE_MODULE" not in os.environ:
        return {}
    module = os.path.abspath(os.environ["LAMINA_TEST_DEVICE_MODULE"])
    text = f"from lamina import _core, config\n_core.set_device_module({module!r})\n"
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])}


@on_device
def test_a_run_on_a_device_is_checked_and_named_after_it(tmp_path: Path) -> None:
    """And a peer that finds no such device is named, with the reason."""
    copied = shutil.copytree(BENCHMARKS, tmp_path / "b", ignore=shutil.ignore_patterns("results"))
    (copied / "peers" / "jax_scan.py").write_text(
        "from lamina._bench.network import MissingError\n\n\n"
        "def require(device):\n    raise MissingError('no ' + device)\n",
        encoding="utf-8",
    )
    init = copied / "peers" / "__init__.py"
    text = init.read_text(encoding="utf-8")
    init.write_text(text.replace('"peers.jax_scan", ("jax",)', '"peers.jax_scan", ()'), encoding="utf-8")
    words = ["--cases", "tiny", "many16", "--peers", "lamina", "lamina_many", "jax_scan", *QUICK]
    variables = emulating(tmp_path)
    done = run(*words, "--device", "cuda", folder=tmp_path, benchmarks=copied, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "missing: JAX, an epoch in one scan (no cuda)" in done.stdout

    (path,) = (copied / "results").iterdir()
    slug = "-".join("".join(c if c.isalnum() else " " for c in NAMES[0].lower()).split())
    assert path.name.endswith(f"_{slug}_cuda.json")
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["machine"]["device"]["name"] == NAMES[0]
    assert result["missing"] == ["JAX, an epoch in one scan (no cuda)"]
    assert list(result["cases"]["many16"]["peers"]) == ["lamina_many", "lamina"]
    assert result["machine"]["lamina"]["version"]
    for name in ("tiny", "many16"):
        assert result["cases"][name]["faults"] == []
        assert "handover" not in result["cases"][name]


@on_device
def test_the_lamina_peer_computes_on_the_device_what_it_does_on_the_cpu(tmp_path: Path) -> None:
    import data
    import worker
    from cases import chosen

    from lamina import config

    threads = config.get_num_threads()
    found = {}
    try:
        for case in (on_cuda("tiny"), chosen(["tiny"])[0]):
            data.write([case], tmp_path)
            rows, _ = data.read(case, tmp_path)
            program = worker.started(case, "lamina", 1)
            assert config.get_device() == {"cuda": "cuda:0"}.get(case.device, case.device)
            found[case.device] = worker.checked(case, program, *rows)
    finally:
        config.set_device("cpu")
        config.set_num_threads(threads)
    here, there = found["cpu"], found["cuda"]
    assert there["check_loss"] == pytest.approx(here["check_loss"], rel=1e-5)
    np.testing.assert_allclose(there["check_output"], here["check_output"], rtol=1e-5)


def test_where_nobody_finds_a_gpu_nothing_is_measured(tmp_path: Path) -> None:
    words = ["--device", "cuda", "--cases", "tiny", "--peers", "lamina", *QUICK, "--output", "none.json"]
    done = run(*words, folder=tmp_path, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "missing: Lamina (cuda" in done.stdout or "missing: Lamina (device: cuda" in done.stdout
    assert "nobody finds the device 'cuda': nothing is measured" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--device", "tpu"), "invalid choice: 'tpu'"),
        (("--device", "cuda", "--profile"), "--profile: expected --device cpu"),
        (
            ("--device", "cuda", "--cases", "import", "A"),
            "import: neither a group (training, calls, many_models) nor a case that runs on the device",
        ),
    ],
)
def test_wrong_usage(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_cases_of_a_device_and_who_takes_part() -> None:
    from cases import CASES as ALL
    from cases import chosen

    found = {case.name: case for case in chosen([], "cuda")}
    assert list(found) == [case.name for case in ALL if case.name in CASES]
    assert {case.device for case in found.values()} == {"cuda"}
    assert found["A"].peers == ("lamina", "torch", "torch_compiled", "torch_graph", "jax_scan")
    assert found["many16"].peers[0] == "lamina_many"
    assert [case.name for case in chosen(["calls"], "cuda")] == ["predict60k"]
    assert {case.device for case in chosen([])} == {"cpu"}
    assert not any("torch_graph" in case.peers for case in chosen([]))


def test_a_run_keeps_the_device_its_limits_and_why_peers_are_missing(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rounds
    import run as runner

    answers = {
        "lamina": {"device": "A GPU"},
        "torch": {"missing": "finds none"},
        "jax_scan": {"error": "broken"},
    }
    told = {"name": "A GPU 80GB", "driver": "580.1", "cuda": "13.0", "memory": 1}
    asked: list[tuple[str, str, bool]] = []

    def fresh_process(case: Any, name: str, settings: Any, folder: Path, find: bool = False) -> Any:
        asked.append((case.device, name, find))
        assert settings.seconds == 1
        return answers[name] if find else {"times": [24.0], "check_output": []}

    monkeypatch.setattr(rounds, "fresh_process", fresh_process)
    monkeypatch.setattr(rounds, "cuda_limits", lambda cases, settings: {"device": told, **LIMITS})
    monkeypatch.setattr("peers.find_spec", lambda name: name)
    words = ["run.py", "--device", "cuda", "--cases", "A", "--peers", *answers, "--rounds", "2"]
    monkeypatch.setattr(sys, "argv", [*words, "--output", str(tmp_path / "result.json")])
    assert runner.main() == 0
    assert asked[:3] == [("cuda", name, True) for name in answers]
    assert asked[3:] == [("cuda", "lamina", False)] * 2
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["machine"]["device"] == told
    assert result["limits"] == LIMITS
    assert result["missing"] == ["PyTorch (finds none)", "JAX, an epoch in one scan (broken)"]
    assert result["cases"]["A"]["limit"]["blas"] == 12
    printed = capsys.readouterr().out
    assert "| 12 µs/step (50%) |" in printed
    assert "missing: JAX, an epoch in one scan (broken)" in printed
    assert runner._file_name(result["machine"]).endswith("_a-gpu-80gb_cuda.json")


def test_other_processes_are_shown_the_gpu_only_for_cases_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import rounds

    shown: list[tuple[str | None, list[str]]] = []

    def process(command: list[str], env: dict[str, str], **options: Any) -> Any:
        shown.append((env.get("CUDA_VISIBLE_DEVICES"), command))
        return subprocess.CompletedProcess(command, 0, stdout="{}")

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setattr(rounds.subprocess, "run", process)
    settings = rounds.Settings(1, 0.1, 1)
    rounds.fresh_process(on_cuda("A"), "lamina", settings, Path())
    rounds.cuda_limits([on_cuda("A"), on_cuda("predict60k")], settings)
    from cases import chosen

    rounds.fresh_process(chosen(["A"])[0], "lamina", settings, Path())
    assert [device for device, _ in shown] == ["3", "3", ""]
    assert shown[0][1][-2:] == ["--device", "cuda"]
    assert shown[1][1][-2:] == ["--cases", "A"]


def test_the_limits_of_a_step_are_its_products_and_what_it_moves() -> None:
    import summary

    def limit(name: str) -> dict[str, float]:
        return summary.limit_of(on_cuda(name), LIMITS, 1)

    flops, parameters = 2 * 32 * (2 * 784 * 100 + 3 * 100 * 10), 785 * 100 + 101 * 10
    moved = 4 * (32 * 784 + 2 * parameters)
    assert limit("A") == pytest.approx(
        {"flops": flops, "fma": flops / 5e7, "bytes": moved, "memory": moved / 4e6, "blas": 12}
    )
    assert limit("C")["bytes"] == 4 * (32 * 784 + 6 * (785 * 50 + 51 * 10))  # Adam's slots besides
    assert limit("XL16")["fma"] == pytest.approx(limit("XL16")["flops"] / 8e8)
    assert "blas" not in limit("XL16")
    predicted = limit("predict60k")
    assert predicted["flops"] == 2 * 60000 * (784 * 100 + 100 * 10)
    assert predicted["bytes"] == 4 * (60000 * 794 + parameters)
    assert summary.limit_of(on_cuda("A"), {}, 1) == {}


def on_a_device() -> dict[str, Any]:
    result = made_up_result.result()
    result["machine"]["device"] = {"name": "A GPU", "driver": "580.1", "cuda": "13.0"}
    result["limits"] = LIMITS
    result["missing"] = ["PyTorch (finds none)"]
    result["cases"]["A"]["limit"] = {"flops": 1e7, "fma": 5.0, "bytes": 1e6, "memory": 2.5}
    return result


def test_tables_of_a_device_hold_its_limits() -> None:
    import report

    told = report.whole(on_a_device())
    assert told.startswith("| case | Lamina | best other | of FMA peak | of copies |")
    assert "| 50 µs/step (45–55) | **× 6** (5.4–6.6) NumPy by hand | 10% | 5% |" in told
    assert "Of the device: 800 TFLOP/s in bfloat16, 50 TFLOP/s in float32 (a large product" in told
    assert "copies in memory 4,000 GB/s." in told
    assert "on A GPU (driver 580.1, CUDA 13.0); A CPU, 2 of 2 CPUs" in told
    assert "; missing: PyTorch (finds none)." in told
    assert "| 2.5 µs/step (5%) |" in told
    without = {**on_a_device(), "limits": {}}
    without["machine"] = {**without["machine"], "device": {"name": "A GPU"}}
    assert "on A GPU; A CPU" in report.whole(without)


def test_a_result_of_a_device_is_no_result_of_the_cpu(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    import compare
    import publish

    with pytest.raises(ValueError, match="expected results of the CPU, got one of a GPU"):
        publish.publish({"gpu": on_a_device()}, tmp_path)
    told = compare.table(made_up_result.result(), on_a_device(), [])
    assert "different machines, devices or threads" in told
    assert "different" not in compare.table(on_a_device(), on_a_device(), [])


@pytest.fixture(scope="module")
def standin(compiler: str, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The library that stands in for the driver and cuBLAS."""
    path = tmp_path_factory.mktemp("standin") / "libstandin.so"
    source = Path(__file__).parent / "cpp" / "standin_driver.c"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(path), str(source)], check=True)
    return ctypes.CDLL(str(path))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("which", ["forward", "dw", "dx"])
def test_products_by_cublas(
    which: str, dtype: str, standin: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch
) -> None:
    import device

    from lamina._bench.network import Product

    monkeypatch.setattr(device, "_opened", lambda what, places: standin)
    m, k, n = 5, 7, 3
    begin, free = device.Cublas(device.Driver()).product(Product(which, m, k, n), dtype)
    begin()
    standin.standin_last_product.restype = ctypes.POINTER(ctypes.c_float)
    c = np.ctypeslib.as_array(standin.standin_last_product(), (m, n)).copy()
    free()
    rng = np.random.default_rng(4)
    a, b = rng.random(m * k, np.float32), rng.random(k * n, np.float32)
    if dtype == "bfloat16":
        a, b = ((x.view(np.uint32) & 0xFFFF0000).view(np.float32) for x in (a, b))
    left = a.reshape(k, m).T if which == "dw" else a.reshape(m, k)
    right = b.reshape(n, k).T if which == "dx" else b.reshape(k, n)
    np.testing.assert_allclose(c, left @ right, rtol=k * 2.0**-24)


def test_the_limits_of_a_device(standin: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch) -> None:
    import device
    import limits

    monkeypatch.setattr(device, "_opened", lambda what, places: standin)
    monkeypatch.setattr(limits, "_SECONDS", 1e-4)
    cases = [on_cuda("tiny"), on_cuda("many16")]
    found = limits.cuda(cases, side=16, copied=1 << 16)
    assert found["device"].items() >= {"name": "A stand-in", "cuda": "13.2", "memory": 80 << 30}.items()
    assert set(found["fma"]) == {"float32"}
    assert set(found["blas"]) == {"tiny", "many16"}
    for value in (*found["fma"].values(), *found["blas"].values(), found["copy"]["cuda"]["memory"]):
        assert value > 0
        assert math.isfinite(value)


def test_without_a_driver_the_limits_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import device

    from lamina._bench.network import MissingError

    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(device.ctypes, "CDLL", absent)
    with pytest.raises(MissingError, match=r"the driver of the GPU is missing: looked for libcuda.so.1"):
        device.Driver()
