"""plot_model and model_to_dot: a model's layers as a picture."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from lamina.keras.utils.pictures import draw

_SPLINES = "ortho"


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = _SPLINES,
    **kwargs: Any,
) -> Any:
    """Draw the layers of a model, one box each, into a file.

    Where pydot and Graphviz are installed they draw, as for Keras; otherwise matplotlib does.

    Args:
        model: a model that is built.
        to_file: path; its ending says the format: png, svg or pdf. Default "model.png".
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what the boxes say
            besides the layers' classes. Default False.
        rankdir: "TB" (default) from top to bottom, "LR" from left to right.
        expand_nested: whether the layers of models among the layers are drawn in their place.
        dpi: of the picture. Default 200.
        splines: Graphviz's word for how lines are drawn; matplotlib draws them straight. Default "ortho".

    Returns:
        In a notebook the picture, where IPython can show it; else None.

    Raises:
        ValueError: the model is not built, or an argument is unknown.
        ImportError: neither pydot with Graphviz nor matplotlib is installed.
    """
    from pathlib import Path

    _check(model, kwargs)
    shown = {
        "show_shapes": show_shapes,
        "show_dtype": show_dtype,
        "show_layer_names": show_layer_names,
        "show_layer_activations": show_layer_activations,
        "show_trainable": show_trainable,
    }
    path = Path(to_file)
    kind = path.suffix[1:] or "png"
    if _graphviz():
        dot = model_to_dot(
            model, rankdir=rankdir, expand_nested=expand_nested, dpi=dpi, splines=splines, **shown
        )
        dot.write(str(path), format=kind)
    else:
        try:
            draw([_rows(layer, **shown) for layer in _boxes(model, expand_nested)], path, kind, rankdir, dpi)
        except ImportError:
            raise ImportError(
                "plot_model: needs matplotlib, or pydot and Graphviz (pip install matplotlib)"
            ) from None
    if kind != "pdf":
        try:
            from IPython import display  # type: ignore[import-not-found]
        except ImportError:
            return None
        return display.SVG(filename=str(path)) if kind == "svg" else display.Image(filename=str(path))
    return None


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = _SPLINES,
    **kwargs: Any,
) -> Any:
    """The layers of a model as a graph of pydot's.

    Args:
        model, show_shapes … splines: as in `plot_model`, but show_layer_names is True by default.
        subgraph: True gives a cluster with the model's name on it.

    Returns:
        A `pydot.Dot`, or a `pydot.Cluster`.

    Raises:
        ValueError: the model is not built, or an argument is unknown.
        ImportError: pydot is not installed.
    """
    _check(model, kwargs)
    try:
        import pydot  # type: ignore[import-not-found]
    except ImportError:
        raise ImportError("model_to_dot: needs pydot (pip install pydot)") from None
    if subgraph:
        dot = pydot.Cluster(style="dashed", graph_name=model.name)
        dot.set("label", model.name)
        dot.set("labeljust", "l")
    else:
        dot = pydot.Dot()
        for name, value in (("rankdir", rankdir), ("concentrate", True), ("dpi", dpi), ("splines", splines)):
            dot.set(name, value)
        dot.set_node_defaults(shape="record")
    names = []
    for layer in _boxes(model, expand_nested):
        rows = _rows(layer, show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
        names.append(str(id(layer)))
        node = pydot.Node(names[-1], label=_table(rows))
        for name, value in (("fontname", "Helvetica"), ("border", "0"), ("margin", "0")):
            node.set(name, value)
        dot.add_node(node)
    for above, below in pairwise(names):
        dot.add_edge(pydot.Edge(above, below, penwidth="2"))
    return dot


def _boxes(model: Any, expand_nested: bool) -> list[Any]:
    return list(model.leaves if expand_nested else model.layers)


def _rows(
    layer: Any,
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    show_layer_activations: bool,
    show_trainable: bool,
) -> list[list[str]]:
    """What a layer's box says, row by row: its title, its activation, and the cells below."""
    kind = type(layer).__name__
    rows = [[f"{layer.name} ({kind})" if show_layer_names else kind]]
    if show_layer_activations and getattr(layer, "activation", None) is not None:
        rows.append([f"Activation: {getattr(layer.activation, '__name__', layer.activation)}"])
    cells = []
    inner = hasattr(layer, "outputs")  # a model among the layers
    source, result = (layer.inputs[0], layer.outputs[0]) if inner else (layer.input, layer.output)
    if show_shapes:
        cells += [f"Input shape: {source.shape}", f"Output shape: {result.shape}"]
    if show_dtype:
        cells.append(f"Output dtype: {result.dtype}")
    if show_trainable and layer.weights:
        cells.append("Trainable" if layer.trainable else "Non-trainable")
    return [*rows, cells] if cells else rows


def _table(rows: list[list[str]]) -> str:
    """The rows as a label in Graphviz's kind of HTML: title and activation over the whole width."""
    from html import escape

    width = max(len(row) for row in rows)
    colours = {"Trainable": ("forestgreen", "white"), "Non-trainable": ("firebrick", "white")}
    lines = []
    for number, row in enumerate(rows):
        cells = []
        for text in row:
            back, front = ("black", "white") if number == 0 else colours.get(text, ("white", "black"))
            span = width if len(row) == 1 else 1
            size = 16 if number == 0 else 14
            cells.append(
                f'<td colspan="{span}" bgcolor="{back}"><font point-size="{size}" color="{front}">'
                f"{escape(text)}</font></td>"
            )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f'<<table border="0" cellborder="1" bgcolor="black" cellpadding="10">{"".join(lines)}</table>>'


def _check(model: Any, kwargs: dict[str, Any]) -> None:
    if not model.built:
        raise ValueError(f"model: expected one that is built, got {model!r}; call build(input_shape) first")
    if kwargs.pop("layer_range", None) is not None:
        raise ValueError("layer_range: no longer supported, as in Keras")
    if kwargs:
        raise ValueError(f"plot_model: unknown arguments {', '.join(map(repr, kwargs))}")


def _graphviz() -> bool:
    """Whether pydot is installed and finds Graphviz."""
    import shutil

    try:
        import pydot  # noqa: F401
    except ImportError:
        return False
    return shutil.which("dot") is not None
