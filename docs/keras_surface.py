"""Writes docs/keras-surface.md from the code: `python docs/keras_surface.py`.

Names come from the modules and from the list of those that are refused, arguments from the docstrings: an
argument is accepted without effect where its line says "accepted", and refused, but for its default, where it
says "not supported" or "only".
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from lamina.keras._training.absent import NAMES

PAGE = Path(__file__).with_name("keras-surface.md")
WIDTH = 110
NAMESPACES = [
    "keras",
    "keras.activations",
    "keras.backend",
    "keras.callbacks",
    "keras.config",
    "keras.constraints",
    "keras.datasets",
    "keras.dtype_policies",
    "keras.initializers",
    "keras.layers",
    "keras.losses",
    "keras.metrics",
    "keras.mixed_precision",
    "keras.models",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.regularizers",
    "keras.saving",
    "keras.utils",
]
# What Lamina's namespaces hold beside Keras's names.
OWN = {
    "keras.datasets": {"DatasetUnavailableError", "digits"},
    "keras.losses": {"resolve"},
    "keras.metrics": {"resolve"},
}
# The public methods and properties of three classes in Keras 3.15.1.
MEMBERS = {
    "Sequential": """
        add add_loss add_metric add_variable add_weight build build_from_config call compile
        compile_from_config compiled_loss compiled_metrics compute_dtype compute_loss compute_mask
        compute_metrics compute_output_shape compute_output_spec count_params distribute_reduction_method
        distribute_strategy dtype dtype_policy evaluate export fit from_config get_build_config
        get_compile_config get_config get_layer get_metrics_result get_quantization_layer_structure
        get_state_tree get_weights input input_dtype input_shape input_spec inputs jit_compile layers
        load_own_variables load_weights loss losses make_predict_function make_test_function
        make_train_function metrics metrics_names metrics_variables non_trainable_variables
        non_trainable_weights output output_shape outputs path pop predict predict_on_batch predict_step
        quantization_mode quantize quantized_build quantized_call rematerialized_call reset_metrics
        run_eagerly save save_own_variables save_weights set_state_tree set_weights stateless_call
        stateless_compute_loss summary supports_masking symbolic_call test_on_batch test_step to_json
        train_on_batch train_step trainable trainable_variables trainable_weights variable_dtype variables
        weights
    """,
    "Layer": """
        add_loss add_metric add_variable add_weight build build_from_config call compute_dtype compute_mask
        compute_output_shape compute_output_spec count_params dtype dtype_policy from_config
        get_build_config get_config get_weights input input_dtype input_spec load_own_variables losses
        metrics metrics_variables non_trainable_variables non_trainable_weights output path
        quantization_mode quantize quantized_build quantized_call rematerialized_call save_own_variables
        set_weights stateless_call supports_masking symbolic_call trainable trainable_variables
        trainable_weights variable_dtype variables weights
    """,
    "Optimizer": """
        add_optimizer_variables add_variable add_variable_from_reference apply apply_gradients assign
        assign_add assign_sub build exclude_from_weight_decay finalize_variable_values from_config
        get_config iterations learning_rate load_own_variables save_own_variables scale_loss set_weights
        stateless_apply update_step variables
    """,
}
IGNORED = re.compile(r"\baccepted\b")
REFUSED = re.compile(r"not supported|\bNone only|\bTrue only|defaults? only|\bNone or|only (the last|None)")
ENTRY = re.compile(r"([\w*]+(?:, [\w*]+)*): (.+)")
HEAD = """# Keras's dense surface in Lamina

Made from the code by `python docs/keras_surface.py`; the list of names is that of Keras 3.15.1.

A name that is **supported** does what Keras's does, numbers included. What is **accepted and ignored** would
change how Keras executes, not what it computes. What is **refused** raises an error that says so; nothing is
passed over in silence.
"""


def module_of(namespace: str) -> ModuleType | None:
    """Lamina's module of this namespace; None if it has none."""
    try:
        return import_module(f"lamina.{namespace}")
    except ImportError:
        return None


def supported(namespace: str) -> list[str]:
    """The public names of a namespace that are Keras's too."""
    module = module_of(namespace)
    if module is None:
        return []
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if inspect.isfunction(value) or inspect.isclass(value)
    ]
    return sorted(name for name in names if not name.startswith("_") and name not in OWN.get(namespace, ()))


def entries(text: str | None) -> Iterator[tuple[list[str], str]]:
    """(argument names, what is said of them) of a docstring's Args."""
    if not text or "Args:" not in text:
        return
    lines = inspect.cleandoc(text).split("Args:\n", 1)[1].splitlines()
    joined: list[str] = []
    for line in lines:
        if not line.startswith("    "):
            break
        if line.startswith("     ") and joined:
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line.strip())
    for line in joined:
        match = ENTRY.fullmatch(line)
        if match is not None:
            yield match[1].split(", "), match[2]


def documented(namespace: str) -> Iterator[tuple[str, Any]]:
    """(name, object) of what has arguments: functions, classes, and the methods of the base classes."""
    module = module_of(namespace)
    seen: set[int] = set()
    for name in supported(namespace):
        found = getattr(module, name)
        if not callable(found) or id(found) in seen:
            continue
        seen.add(id(found))
        yield f"{namespace}.{name}", found
        if f"{namespace}.{name}" in ("keras.Sequential", "keras.layers.Layer", "keras.optimizers.Optimizer"):
            for method, function in inspect.getmembers(found, inspect.isfunction):
                if not method.startswith("_") or method == "__call__":
                    yield f"{name}.{method}", function


def arguments(pattern: re.Pattern[str], but_not: re.Pattern[str] | None = None) -> list[str]:
    """Lines of a table: whose argument, which, what is said of it."""
    rows: dict[str, None] = {}
    for namespace in NAMESPACES:
        for owner, found in documented(namespace):
            for names, text in entries(found.__doc__):
                if pattern.search(text) and not (but_not and but_not.search(text)):
                    written = ", ".join(f"`{name}`" for name in names)
                    said = text.replace("|", "\\|")
                    rows.setdefault(f"| `{owner.removeprefix('keras.')}` | {written} | {said} |")
    return ["| of | argument | |", "|---|---|---|", *rows]


def listed(names: list[str]) -> list[str]:
    """The names as lines of text."""
    lines, line = [], ""
    for name in [f"`{name}`" for name in names]:
        if line and len(line) + 1 + len(name) > WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {name}".strip()
    return [*lines, line] if line else lines


def members(kind: type) -> tuple[list[str], list[str]]:
    """The public methods and properties of Keras's class: those of Lamina's, and the others."""
    names = MEMBERS[kind.__name__].split()
    return [name for name in names if hasattr(kind, name)], [
        name for name in names if not hasattr(kind, name)
    ]


def page() -> str:
    """The page's text."""
    from lamina import keras

    lines = [HEAD, "## Names"]
    for namespace in NAMESPACES:
        lines += ["", f"### {namespace}"]
        for title, names in (
            ("Supported", supported(namespace)),
            ("Refused", sorted(NAMES.get(namespace, "").split())),
        ):
            if names:
                lines += ["", f"{title}:", *listed(names)]
    lines += ["", "## Methods and attributes"]
    for kind in (keras.Sequential, keras.layers.Layer, keras.optimizers.Optimizer):
        there, refused = members(kind)
        lines += ["", f"### {kind.__name__}", "", "Supported:", *listed(there)]
        lines += ["", "Refused:", *listed(refused)]
    lines += ["", "## Arguments that are accepted and ignored", "", *arguments(IGNORED, REFUSED)]
    lines += ["", "## Arguments that are refused but for some values", "", *arguments(REFUSED)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
