"""The rules of the house: which room knows what, how long a file may be, which flags and words are banned."""

import ast
import re
import sys
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CPP = ROOT / "cpp"
ROOMS = ["base", "kernels", "backend", "nn", "train", "bindings"]  # includes point to the left only

SOURCES = sorted(chain(CPP.rglob("*.h"), CPP.rglob("*.cpp"), CPP.rglob("*.cu")))
PYTHON = sorted((ROOT / "python" / "lamina").rglob("*.py"))
BUILD_FILES = [
    ROOT / "CMakeLists.txt",
    ROOT / "CMakePresets.json",
    ROOT / "pyproject.toml",
    *(ROOT / "cmake").glob("*.cmake"),
]
ALL_CODE = sorted(
    path
    for folder in ("cpp", "python", "tests", "benchmarks", "examples", "cmake")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".h", ".cpp", ".py", ".pyi", ".cmake", ".c"}
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def without_comments(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix in {".h", ".cpp"}:
        return re.sub(r"//[^\n]*", "", text)
    return re.sub(r"(?m)(^|\s)#[^\n]*", r"\1", text)


def room_of(path: Path) -> str:
    return path.relative_to(CPP).parts[0]


def test_the_rules_see_the_files() -> None:
    assert len(SOURCES) > 40
    assert len(PYTHON) > 40
    assert {room_of(path) for path in SOURCES} == set(ROOMS)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_includes_point_downward(path: Path) -> None:
    for included in re.findall(r'#include "([^"]+)"', path.read_text(encoding="utf-8")):
        assert (CPP / included).is_file(), f"{included}: includes are written from cpp/ on"
        room = included.split("/")[0]
        assert ROOMS.index(room) <= ROOMS.index(room_of(path)), f"{room_of(path)} may not know {room}"


@pytest.mark.parametrize(
    ("word", "allowed"),
    [
        (r"pybind11|\bpy::|Python\.h|PyErr_", "cpp/bindings/"),
        (r"cblas_|openblas_", "benchmarks/"),
        (r"std::j?thread\b|pthread_|#include <thread>|\bomp_|#pragma omp", "cpp/base/team.cpp"),
        (r"cuda|__global__|__syncthreads|threadIdx|cublas", "cpp/backend/cuda/"),
        (r"__host__|__device__", ("cpp/base/host_device.h", "cpp/backend/cuda/")),
        (r"vector_size|LAMINA_VECTOR_BYTES", "cpp/kernels/"),
        (r"_mm\d*_|immintrin", "cpp/kernels/"),
    ],
)
def test_a_room_keeps_its_words(word: str, allowed: str | tuple[str, ...]) -> None:
    strangers = [
        name(path)
        for path in SOURCES
        if not name(path).startswith(allowed) and re.search(word, without_comments(path))
    ]
    if "cuda" in word:  # build_info says whether CUDA was built in
        strangers = [path for path in strangers if path != "cpp/bindings/machine.cpp"]
    assert not strangers


def test_the_core_does_not_know_keras_classes() -> None:
    """What is computed stands in C++, what Keras calls it in Python; Dense and Dropout are common words."""
    classes = (
        r"\b(Sequential|History|EarlyStopping|Callback|Progbar|GlorotUniform|RandomNormal|BatchNormalization"
        r"|SparseCategoricalCrossentropy|CategoricalCrossentropy|BinaryCrossentropy|MeanSquaredError|RMSprop|Adagrad)\b"
    )
    assert [name(path) for path in SOURCES if re.search(classes, without_comments(path))] == []


@pytest.mark.parametrize("path", ALL_CODE, ids=name)
def test_files_are_small_and_named_for_what_they_hold(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    keras_module = path.parent == ROOT / "python" / "lamina" / "keras" / "utils"
    assert path.stem not in {"utils", "helpers", "common", "misc"} or keras_module


@pytest.mark.parametrize("path", BUILD_FILES, ids=name)
def test_no_flag_that_breaks_nan(path: Path) -> None:
    assert not re.search(r"-ffast-math|-Ofast|-ffinite-math-only|-funsafe-math", without_comments(path))


@pytest.mark.parametrize("path", ALL_CODE, ids=name)
def test_no_word_that_announces_a_stub(path: Path) -> None:
    if path == Path(__file__).resolve():
        return
    found = re.search(
        r"\b(TODO|FIXME|XXX|HACK)\b|[Ff]or now\b|NotImplemented\b", path.read_text(encoding="utf-8")
    )
    assert found is None, found


def test_kernels_have_internal_linkage() -> None:
    """What is compiled once per instruction set keeps to its own anonymous namespace."""
    per_isa = [path for path in (CPP / "kernels").glob("*.h") if "LAMINA_ISA" in without_comments(path)]
    assert len(per_isa) >= 6
    for path in per_isa:
        assert re.search(
            r"namespace lamina::LAMINA_ISA \{\s*namespace \{", path.read_text(encoding="utf-8")
        ), path


def test_numpy_is_the_only_dependency() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'(?m)^dependencies = \["numpy>=[\d.]+"\]$', text)
    known = {"numpy", "lamina", "matplotlib", "h5py", "onnx", "pydot", "IPython"}
    importers: dict[str, list[str]] = {}
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [str(node.module)]
            for module in modules:
                importers.setdefault(module.split(".")[0], []).append(name(path))
    assert {module for module in importers if module not in sys.stdlib_module_names} <= known
    # matplotlib and what else draws are extras: only the pictures know them.
    pictures = {f"python/lamina/keras/utils/{file}.py" for file in ("pictures", "visualization")}
    assert all("_cli" in path or path in pictures for path in importers.get("matplotlib", []))
    assert {*importers["pydot"], *importers["IPython"]} <= pictures
    assert importers["onnx"] == ["python/lamina/keras/_export/onnx_file.py"]
    assert importers["h5py"] == ["python/lamina/keras/_saving/hdf5.py"]
