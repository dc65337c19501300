"""What a library weighs: on the disk, and in memory while it trains."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path

_MB = 1e6


def installed_megabytes(packages: tuple[str, ...]) -> float:
    """Files of those of the distributions that are installed, and of what they require, extras aside."""
    pending, seen, total = list(packages), set(), 0
    while pending:
        name = re.sub(r"[-_.]+", "-", pending.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            total += _folder_bytes(name)
            continue
        total += _bytes(found)
        required = [entry for entry in found.requires or () if not re.search(r"extra\s*==", entry)]
        pending += [match[0] for entry in required if (match := re.match(r"[\w.-]+", entry))]
    return total / _MB


def _bytes(found: Distribution) -> int:
    paths = [Path(str(file.locate())) for file in found.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _folder_bytes(name: str) -> int:
    """Of a package that is on the path, but not installed: Lamina in place."""
    known = not name.isidentifier() or name in packages_distributions()
    spec = None if known else find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return 0
    files = Path(next(iter(spec.submodule_search_locations))).rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file() and "__pycache__" not in path.parts)


def peak_megabytes() -> float:
    """The most memory that this process has had resident.

    From Linux's own count where there is one: `getrusage` starts with what the parent had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if found:
            return int(found[1]) * 1024 / _MB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MB
