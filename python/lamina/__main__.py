"""The command `lamina`, also `python -m lamina`."""

import argparse
import sys
from collections.abc import Sequence

from lamina import __version__

DATA = ("digits", "fashion_mnist", "mnist")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the words after `lamina`. Default: those of this process.

    Returns:
        The exit status: 0; 1 where something was not to be had; 130 after Ctrl-C.

    Raises:
        SystemExit: with 2 on wrong usage, with 0 after --help and --version.
    """
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"lamina {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lamina", description="Train dense neural networks, fast.")
    parser.add_argument("--version", action="version", version=f"lamina {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{info,demo,bench}")

    info = commands.add_parser("info", help="what was built, and what this machine uses of it")
    info.set_defaults(run=_info)

    demo = commands.add_parser("demo", help="train a small network, print its accuracy, draw a picture")
    demo.add_argument("--data", choices=DATA, default="digits", help="data set (default: digits, embedded)")
    demo.add_argument("--epochs", type=_positive, help="default: 40 for digits, 5 for the others")
    demo.add_argument("--output", metavar="PATH", help="the picture (default: lamina-demo.png)")
    demo.set_defaults(run=_demo)

    bench = commands.add_parser(
        "bench", help="time a few trainings against NumPy, and Keras if it is installed"
    )
    bench.add_argument(
        "--seconds", type=_seconds, default=0.3, help="aimed at for each timing (default: 0.3)"
    )
    bench.set_defaults(run=_bench)
    return parser


def _info(options: argparse.Namespace) -> int:
    from lamina._cli import info

    print(info.report())
    return 0


def _demo(options: argparse.Namespace) -> int:
    from lamina._cli import demo

    return demo.run(options.data, options.epochs, options.output)


def _bench(options: argparse.Namespace) -> int:
    from lamina._cli import bench

    return bench.run(options.seconds)


def _positive(word: str) -> int:
    try:
        value = int(word)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {word!r}")
    return value


def _seconds(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value < 3600:
        raise argparse.ArgumentTypeError(f"expected seconds, more than 0, got {word!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
