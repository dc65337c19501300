"""Put results into README.md, README.ko.md and docs/: `python benchmarks/publish.py RESULT.json [...]`.

The first one's summary table replaces what stands between the marks `<!-- benchmarks -->` and
`<!-- /benchmarks -->`; the tables and plots of all go to docs/benchmarks/, one below the other.
"""

import argparse
import sys
from pathlib import Path

import korean
import plots
import report
from result_file import Result, load

ROOT = Path(__file__).parents[1]
IN_README = ("training", "calls", "by hand", "start", "many models")
MORE = """![Against Keras, and against the best of the others](docs/benchmarks/ratios.svg)

[All the cases, all the libraries, sweeps of width and batch size](docs/benchmarks/README.md)."""
PAGE = """# Benchmarks

Made from result files by `benchmarks/publish.py`; how it was measured stands in
[benchmarks/](../../benchmarks/README.md)."""
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


def publish(results: dict[str, Result], root: Path) -> list[Path]:
    """Write the tables and plots of results, by name, below `root`; returns the files.

    Raises:
        ValueError: a result is of a GPU, or a README has no marks, or they are in disorder; nothing was
            written then.
    """
    if any("device" in result["machine"] for result in results.values()):
        raise ValueError("expected results of the CPU, got one of a GPU, whose tables report.py prints")
    first = next(iter(results.values()))
    block = "\n\n".join(
        [report.summary(first, IN_README), report.losses(first), report.footnote(first), MORE]
    )
    texts = {
        root / "README.md": block,
        root / "README.ko.md": korean.translated(block),
    }
    texts = {path: replaced(path.read_text(encoding="utf-8"), text, path) for path, text in texts.items()}
    folder = root / "docs" / "benchmarks"
    parts = [PAGE]
    files = []
    for name, result in results.items():
        drawn = plots.draw(result, folder if result is first else folder / name)
        pictures = [f"![{path.stem}]({path.relative_to(folder).as_posix()})" for path in drawn]
        parts += [f"## {report.title(result)}", *pictures, report.whole(result)]
        files += drawn
    texts[folder / "README.md"] = "\n\n".join(parts) + "\n"
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return [*texts, *files]


def replaced(text: str, block: str, path: Path) -> str:
    """The text with another block between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after:
        raise ValueError(f"{path.name}: expected {BEGIN} and {END}, each once and in this order")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULT")
    parser.add_argument("--root", type=Path, default=ROOT, help="default: this checkout")
    options = parser.parse_args()
    try:
        results = {path.stem: load(path) for path in options.results}
        if len(results) < len(options.results):
            raise ValueError("expected result files of different names, got one name twice")
        written = publish(results, options.root)
    except (OSError, ValueError) as error:
        print(f"publish.py: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
