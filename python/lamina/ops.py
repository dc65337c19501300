"""The kernels of Lamina for those who write the training loop themselves.

Every function takes float32 or float64 arrays of any layout (strided, reversed, Fortran-ordered, read-only,
unaligned, of foreign byte order) and gives the bits that their contiguous copy gives, in the dtype that came
in; all arrays of a call have one dtype. No input is ever changed, but for the weights and slots of the
`..._step` functions, which work in place. Matrices of weights are (inputs, units), as in Keras and in
`x @ w`.

Example, one step of a classifier with one hidden layer:
    >>> h = ops.dense(x, w1, b1, "sigmoid")
    >>> z = ops.dense(h, w2, b2)
    >>> dz = ops.sparse_categorical_crossentropy_grad(labels, z, from_logits=True)
    >>> dh, dw2, db2 = ops.dense_grad(h, w2, dz)
    >>> _, dw1, db1 = ops.dense_grad(x, w1, ops.sigmoid_grad(h, dh), input_gradient=False)
    >>> for p, dp in ((w1, dw1), (b1, db1), (w2, dw2), (b2, db2)):
    ...     ops.sgd_step(p, dp, lr=0.1)
"""

from __future__ import annotations

from lamina._ops.activations import (
    relu,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    softmax,
    softmax_grad,
    tanh,
    tanh_grad,
)
from lamina._ops.linear import dense, dense_grad, matmul
from lamina._ops.losses import (
    binary_crossentropy,
    binary_crossentropy_grad,
    categorical_crossentropy,
    categorical_crossentropy_grad,
    mean_squared_error,
    mean_squared_error_grad,
    sparse_categorical_crossentropy,
    sparse_categorical_crossentropy_grad,
)
from lamina._ops.steps import adagrad_step, adam_step, rmsprop_step, sgd_step

__all__ = [
    "adagrad_step",
    "adam_step",
    "binary_crossentropy",
    "binary_crossentropy_grad",
    "categorical_crossentropy",
    "categorical_crossentropy_grad",
    "dense",
    "dense_grad",
    "matmul",
    "mean_squared_error",
    "mean_squared_error_grad",
    "relu",
    "relu_grad",
    "rmsprop_step",
    "sgd_step",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_grad",
    "sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy_grad",
    "tanh",
    "tanh_grad",
]
