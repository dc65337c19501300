"""Kernels of mixed_bfloat16, for their tests."""

from lamina._core.arrays import Array

# Arrays are float32 and C-contiguous; w is (units, inputs). Factors are rounded to bfloat16, results too.
def bfloat16_dense(
    backend: str, x: Array, w: Array, b: Array | None, activation: str, fused: bool = True
) -> Array:
    """activation(x wT + b)"""

def bfloat16_dense_gradient(backend: str, x: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    """(dw, db, dx)"""

def bfloat16_activation_gradient(backend: str, activation: str, y: Array, dy: Array) -> Array:
    """Gradient at the input from the OUTPUT y."""
