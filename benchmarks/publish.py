"""Put a result into README.md, README.ko.md and docs/: `python benchmarks/publish.py RESULT.json`.

The summary table replaces what stands between the marks `<!-- benchmarks -->` and `<!-- /benchmarks -->`; all
the tables and the plots go to docs/benchmarks/.
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
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


def publish(result: Result, root: Path) -> list[Path]:
    """Write the tables and plots below `root`; returns the files.

    Raises:
        ValueError: the result is of a GPU, or a README has no marks, or they are in disorder; nothing was
            written then.
    """
    if "device" in result["machine"]:
        raise ValueError("expected a result of the CPU, got one of a GPU, whose tables report.py prints")
    block = "\n\n".join(
        [report.summary(result, IN_README), report.losses(result), report.footnote(result), MORE]
    )
    texts = {
        root / "README.md": block,
        root / "README.ko.md": korean.translated(block),
    }
    texts = {path: replaced(path.read_text(encoding="utf-8"), text, path) for path, text in texts.items()}
    folder = root / "docs" / "benchmarks"
    drawn = plots.draw(result, folder)
    page = "# Benchmarks\n\nMade from a result file by `benchmarks/publish.py`; how it was measured stands in"
    page += " [benchmarks/](../../benchmarks/README.md).\n\n"
    page += "\n".join(f"![{path.stem}]({path.name})\n" for path in drawn)
    texts[folder / "README.md"] = f"{page}\n{report.whole(result)}\n"
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return [*texts, *drawn]


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
    parser.add_argument("result", type=Path)
    parser.add_argument("--root", type=Path, default=ROOT, help="default: this checkout")
    options = parser.parse_args()
    try:
        written = publish(load(options.result), options.root)
    except (OSError, ValueError) as error:
        print(f"publish.py: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
