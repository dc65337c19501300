"""Where Lamina's messages go: standard output, or the logger "lamina" once interactive logging is off."""

from __future__ import annotations

import sys

_interactive = True


def enable_interactive_logging() -> None:
    """Print progress and messages to standard output (the default)."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Send progress and messages to `logging.getLogger("lamina")` at level INFO instead of standard
    output.
    """
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether messages are printed (True) or logged (False)."""
    return _interactive


def print_msg(message: str, line_break: bool = True) -> None:
    """Print a message at once, ended by a newline unless `line_break` is False.

    A stream whose encoding lacks the bar's character gets "=" in its place, and nothing for others it lacks.
    """
    if not _interactive:
        import logging  # only here: importing it costs a millisecond

        logging.getLogger("lamina").info(message)
        return
    stream = sys.stdout
    if stream is None:  # a windowed program has no standard output
        return
    text = f"{message}\n" if line_break else message
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "utf-8"
        stream.write(text.replace("━", "=").encode(encoding, errors="ignore").decode(encoding))
    stream.flush()
