"""A result file of the benchmarks with made-up times, for the programs that read such files."""

from typing import Any

SPREAD = 0.1  # quartiles lie so far from the median, relatively


def spread(value: float) -> dict[str, Any]:
    low, high = value * (1 - SPREAD), value * (1 + SPREAD)
    return {"median": value, "q1": low, "q3": high, "rounds": [low, value, high]}


def case(group: str, times: dict[str, float], unit: str = "µs/step", limit: bool = True) -> dict[str, Any]:
    first = next(iter(times.values()))
    found: dict[str, Any] = {
        "title": f"784-100s-10, SGD, batch 32 ({group})",
        "group": group,
        "unit": unit,
        "peers": {name: {"time": spread(t), "ratio": spread(t / first)} for name, t in times.items()},
        "faults": [],
        "missing": {},
    }
    if limit:
        found["limit"] = {"flops": 1e7, "fma": first / 2, "blas": first / 1.5}
    return found


def result() -> dict[str, Any]:
    """A run in which PyTorch with one thread beats Lamina in the case B, and nobody elsewhere."""
    cases = {
        "A": case("training", {"lamina": 50.0, "keras": 1500.0, "torch_1": 400.0, "numpy": 300.0}),
        "B": case("training", {"lamina": 500.0, "keras": 2500.0, "torch_1": 400.0}),
        "predict1": case("calls", {"lamina": 5.0, "keras": 60000.0, "numpy": 10.0}, "µs/call", limit=False),
        "sigmoid": case("kernels", {"ops": 2.0, "numpy": 10.0}, "µs/call", limit=False),
    }
    for i, width in enumerate((8, 64, 512)):
        times = {"lamina": 10.0 * 4**i, "lamina_1": 8.0 * 6**i, "keras": 1000.0 * 2**i, "torch": 200.0 * 2**i}
        cases[f"width{width}"] = case("width", times)
        cases[f"width{width}"]["title"] = f"784-{width}-10 relu, SGD, batch 32"
    for width, size, one in ((8, 1, 9.0), (8, 32, 12.0), (64, 32, 17.0)):
        cases[f"grid{width}x{size}"] = case("grid", {"lamina": 10.0, "lamina_1": one})
    cases["A"]["missing"] = {"jax_scan": "jax.something"}
    return {
        "schema": 2,
        "machine": {
            "date": "2026-01-02T03:04:05+00:00",
            "cpu": "A CPU",
            "cpus": 2,
            "threads": 2,
            "python": "3.11",
            "commit": "abc1234",
            "lamina": {"version": "0.1.0", "isa": "avx512"},
            "versions": {"numpy": "2.0"},
        },
        "peers": {
            "lamina": "Lamina",
            "lamina_1": "Lamina, one thread",
            "ops": "lamina.ops",
            "keras": "Keras",
            "torch": "PyTorch",
            "torch_1": "PyTorch, one thread",
            "jax_scan": "JAX, an epoch in one scan",
            "numpy": "NumPy by hand",
        },
        "missing": ["scikit-learn"],
        "rounds": 3,
        "seconds": 0.3,
        "data": {"fashion_mnist": "Fashion-MNIST"},
        "limits": {
            "fma": {"1": 2.4e11, "2": 4.8e11},
            "copy": {"1": {"L1": 4e11, "memory": 1.5e10}, "2": {"L1": 8e11, "memory": 3e10}},
            "blas": {"2": {"A": 40.0}},
        },
        "cases": cases,
    }
