"""The programs that read result files: tables, plots, the READMEs' block, the comparison of two files."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from made_up_result import result, spread

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def program(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "utf8", str(BENCHMARKS / name), *words],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def stored(folder: Path, name: str, found: dict[str, Any]) -> str:
    path = folder / name
    path.write_text(json.dumps(found), encoding="utf-8")
    return str(path)


def test_the_summary_names_the_best_other_and_the_share_of_the_limit() -> None:
    import report

    rows = {line.split("**")[1]: line for line in report.summary(result()).splitlines() if "**" in line}
    assert list(rows) == ["A", "B", "predict1", "sigmoid"]  # sweeps are for plots
    assert "| 50 µs/step (45–55) | **× 30** (27–33) | **× 6** (5.4–6.6) NumPy by hand | 50% |" in rows["A"]
    assert "| × 0.8 (Lamina takes more) (0.72–0.88) PyTorch, one thread | 50% |" in rows["B"]
    assert rows["sigmoid"].endswith("| – | **× 5** (4.5–5.5) NumPy by hand | – |")


def test_where_lamina_is_missing_nobody_is_compared_with_it() -> None:
    import report

    found = result()
    del found["cases"]["B"]["peers"]["lamina"]
    found["cases"]["B"]["missing"] = {"lamina": "lamina.keras.something"}
    row = next(line for line in report.summary(found).splitlines() if "**B**" in line)
    assert row.endswith("| missing | – | – | – |")
    assert "takes more" not in report.table(found, {"B": found["cases"]["B"]})


def test_where_lamina_does_not_win_is_said() -> None:
    import report

    lost = report.losses(result())
    assert "does not win: **B** PyTorch, one thread × 0.8 (0.72–0.88)." in lost
    assert "Missing in A: jax.something (JAX, an epoch in one scan)." in lost
    won = result()
    del won["cases"]["B"]
    assert "does not win: nowhere in this run." in report.losses(won)


def test_the_report_holds_every_group_the_limits_and_the_machine(tmp_path: Path) -> None:
    done = program("report.py", stored(tmp_path, "result.json", result()))
    assert done.returncode == 0, done.stderr
    for words in ("### Training", "### Width", "### Kernels", "| 2 | 480 GFLOP/s | 800 GB/s | 30 GB/s |"):
        assert words in done.stdout
    assert "25 µs/step (50%)" in done.stdout  # the limit of A
    assert "A CPU, 2 of 2 CPUs" in done.stdout
    assert "not installed: scikit-learn." in done.stdout


def test_the_grid_says_what_a_second_thread_is_worth() -> None:
    import report
    import result_file

    found = result()
    lines = report.grid(result_file.groups(found)["grid"]).splitlines()
    assert "| | 1 | 32 |" in lines
    assert "| **8** | 10<br>× 0.9<br>50% | 10<br>× 1.2<br>50% |" in lines
    assert "| **64** | – | 10<br>× 1.7<br>50% |" in lines  # not measured
    told = "Where one thread takes less, by the upper quartile too: "
    assert lines[-1] == told + "8 units, batch 1: × 0.9 (0.81–0.99)."
    assert "### Grid\n\nA step's time" in report.whole(found)
    chance = result()
    chance["cases"]["grid8x1"]["peers"]["lamina_1"]["ratio"]["q3"] = 1.01
    assert report.grid(result_file.groups(chance)["grid"]).endswith(told + "nowhere in this run.")
    alone = result()
    for case in alone["cases"].values():
        case["peers"].pop("lamina_1", None)
    assert told not in report.whole(alone)
    assert "grid" not in report.summary(found)


def test_a_file_of_the_first_schema_is_read(tmp_path: Path) -> None:
    import report
    import result_file

    old = result()
    old["schema"] = 1
    del old["limits"]
    for case in old["cases"].values():
        for key in ("group", "missing", "limit"):
            case.pop(key, None)
    found = result_file.load(Path(stored(tmp_path, "old.json", old)))
    assert "**× 6** (5.4–6.6) NumPy by hand | – |" in report.summary(found)
    with pytest.raises(ValueError, match="expected a result file of schema 1 or 2, got 3"):
        result_file.load(Path(stored(tmp_path, "new.json", {"schema": 3})))


def test_plots_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("matplotlib.image")
    path = stored(tmp_path, "result.json", result())
    done = program("plots.py", path, "--folder", str(tmp_path / "plots"), "--format", "png")
    assert done.returncode == 0, done.stderr
    drawn = sorted((tmp_path / "plots").iterdir())
    assert [file.name for file in drawn] == [
        "grid.png",
        "kernels.png",
        "limits.png",
        "ratios.png",
        "width.png",
    ]
    for file in drawn:
        assert image.imread(file).std() > 0.05, file.name  # something is drawn


def test_bars_say_who_loses() -> None:
    pytest.importorskip("matplotlib")
    import plots
    from matplotlib.colors import to_hex

    found = result()
    figure = plots.ratios(found, {name: found["cases"][name] for name in ("A", "B")})
    widths = [round(float(10 ** bar.get_width()), 6) for bar in figure.axes[0].patches]
    assert widths == [30, 6, 5, 0.8]  # A: Keras and the best other; B: likewise
    red = [to_hex(bar.get_facecolor()).upper() == plots.LOST for bar in figure.axes[0].patches]
    assert red == [False, False, False, True]


def test_no_grid_is_drawn_where_lamina_finished_none(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    import plots

    found = result()
    for case in found["cases"].values():
        if case["group"] == "grid":
            del case["peers"]["lamina"]
    assert "grid.svg" not in {path.name for path in plots.draw(found, tmp_path)}


def test_the_same_plot_twice_is_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    import plots

    first, second = (plots.draw(result(), tmp_path / name) for name in ("first", "second"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_publish_replaces_the_marked_block(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    readme, korean = tmp_path / "README.md", tmp_path / "README.ko.md"
    for path in (readme, korean):
        path.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n", encoding="utf-8")
    path = stored(tmp_path, "result.json", result())
    done = program("publish.py", path, "--root", str(tmp_path))
    assert done.returncode == 0, done.stderr
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- benchmarks -->\n| case |")
    assert text.endswith("<!-- /benchmarks -->\nafter\n")
    assert "old" not in text
    assert "**A**" in text
    assert "sigmoid" not in text  # kernels stand in docs/ only
    assert "](docs/benchmarks/ratios.svg)" in text
    assert "| 경우 |" in korean.read_text(encoding="utf-8")
    assert "스레드 1개" in korean.read_text(encoding="utf-8")
    page = (tmp_path / "docs" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert "![width](width.svg)" in page
    assert "### Kernels" in page

    import publish

    again = readme.read_bytes()
    publish.publish({"this": result()}, tmp_path)
    assert readme.read_bytes() == again


def test_publish_shows_more_results_below_the_first(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    import publish

    for name in ("README.md", "README.ko.md"):
        (tmp_path / name).write_text("<!-- benchmarks --><!-- /benchmarks -->", encoding="utf-8")
    other = result()
    other["machine"]["cpu"] = "Another CPU"
    written = publish.publish({"first": result(), "other": other}, tmp_path)
    assert "Another CPU" not in (tmp_path / "README.md").read_text(encoding="utf-8")
    page = (tmp_path / "docs" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert page.index("## A CPU, avx512, 2 threads, 2026-01-02 03:04") < page.index("## Another CPU, avx512")
    for picture in ("width.svg", "other/width.svg"):
        assert f"![width]({picture})" in page
        assert tmp_path / "docs" / "benchmarks" / picture in written
        assert (tmp_path / "docs" / "benchmarks" / picture).is_file()


def test_publish_writes_nothing_where_a_mark_is_missing(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "README.md").write_text("<!-- benchmarks --><!-- /benchmarks -->", encoding="utf-8")
    (tmp_path / "README.ko.md").write_text("none", encoding="utf-8")
    done = program("publish.py", stored(tmp_path, "result.json", result()), "--root", str(tmp_path))
    assert done.returncode == 1
    assert "README.ko.md: expected <!-- benchmarks -->" in done.stderr
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "<!-- benchmarks --><!-- /benchmarks -->"
    assert not (tmp_path / "docs").exists()


def test_korean_words_are_words_that_occur() -> None:
    pytest.importorskip("matplotlib")
    import korean
    import publish
    import report
    from cases import CASES
    from peers import PEERS

    said = [case.title for case in CASES] + [case.unit for case in CASES] + [p.title for p in PEERS.values()]
    won = result()
    del won["cases"]["B"]
    said += [report.summary(result()), report.losses(result()), report.losses(won), report.footnote(result())]
    said.append(publish.MORE)
    said.append(report.footnote({**result(), "missing": []}))
    assert [words for words in korean.WORDS if not any(words in text for text in said)] == []


def test_compare_tells_slower_from_faster_from_chance(tmp_path: Path) -> None:
    before, after = result(), copy.deepcopy(result())
    for name, factor in (("A", 1.5), ("B", 0.5), ("predict1", 1.1)):
        peers = after["cases"][name]["peers"]
        peers["lamina"]["time"] = spread(factor * peers["lamina"]["time"]["median"])
    words = stored(tmp_path, "before.json", before), stored(tmp_path, "after.json", after)
    done = program("compare.py", *words)
    assert done.returncode == 0, done.stderr
    lines = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("| ")}
    assert "| 50 µs/step (45–55) | 75 µs/step (67.5–82.5) | × 1.5 | slower |" in lines["A"]
    assert lines["B"].endswith("| × 0.5 | faster |")
    assert lines["predict1"].endswith("| × 1.1 |  |")  # within the spread
    assert "Keras" not in done.stdout
    once = copy.deepcopy(after)
    once["cases"]["A"]["peers"]["lamina"]["time"]["rounds"] = [75.0]
    assert "SLOWER" not in program("compare.py", words[0], stored(tmp_path, "once.json", once)).stdout
    assert "SLOWER: A, Lamina, × 1.5" in done.stdout
    assert program("compare.py", *words, "--fail").returncode == 1
    assert program("compare.py", words[0], words[0], "--fail").returncode == 0
    assert "| A | Keras |" in program("compare.py", *words, "--all").stdout


def test_compare_refuses_what_is_no_result(tmp_path: Path) -> None:
    path = stored(tmp_path, "other.json", {"schema": "none"})
    done = program("compare.py", path, path)
    assert done.returncode == 2
    assert "expected a result file of schema 1 or 2, got 'none'" in done.stderr
