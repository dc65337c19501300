"""`lamina info`: the build and the machine."""

import platform

import numpy as np

from lamina import config


def report() -> str:
    """Lines that tell what was built and what this machine uses of it, for people and for bug reports."""
    build = config.build_info()
    rows = {
        "compiler": f"{build['compiler']}, {build['build_type']}",
        "kernels built for": " ".join(build["isa_built"]),
        "this machine has": " ".join(build["isa_available"]),
        "chosen": build["isa"],
        "threads": str(config.get_num_threads()),
        "CUDA": "built in" if build["cuda"] else "not built in",
        "Python": f"{platform.python_version()}, NumPy {np.__version__}",
        "system": f"{platform.system()} {platform.machine()}",
    }
    width = max(map(len, rows)) + 2
    lines = [f"  {name:{width}}{value}" for name, value in rows.items()]
    return "\n".join([f"Lamina {build['version']}", *lines])
