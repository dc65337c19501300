"""One step of an optimizer, in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamina import _core
from lamina._ops.in_place import lay_out, number, step_number, write_back

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lamina._ops.arrays import Array


def sgd_step(
    w: Array,
    dw: ArrayLike,
    lr: float,
    momentum: float = 0.0,
    velocity: Array | None = None,
    nesterov: bool = False,
) -> None:
    """One step of gradient descent.

    `w -= lr dw`. With momentum `velocity = momentum velocity - lr dw`, then `w += velocity`, or with
    `nesterov` `w += momentum velocity - lr dw`. The learning rate is inside the velocity.

    Args:
        w: the weights, float32 or float64, any shape and layout, writable; changed in place.
        dw: their gradient, shape and dtype of `w`.
        lr: learning rate; 0.01 is the default of Keras.
        momentum: in [0, 1]; 0 is plain descent.
        velocity: the moving step, shape and dtype of `w`, changed in place; zeros at the start. Needed with
            momentum, left alone without.
        nesterov: look ahead along the velocity; without effect if momentum is 0.

    Raises:
        TypeError: an array or a number of another type, or arrays of different dtypes.
        ValueError: shapes that differ, a read-only array to change, arrays that share memory, a momentum
            outside [0, 1] or without a velocity.

    Source: `keras.optimizers.SGD`.
    """
    lr, momentum = number(lr, "lr"), number(momentum, "momentum")
    if not 0.0 <= momentum <= 1.0:
        raise ValueError(f"momentum must be in [0, 1], got {momentum}")
    if momentum and velocity is None:
        raise ValueError(f"velocity must be an array with momentum {momentum}, got None")
    (w_, dw_, velocity_), copied = lay_out(w, dw, optional={"velocity": velocity if momentum else None})
    _core.sgd_step(w_, dw_, lr, momentum, velocity_, bool(nesterov))
    write_back(copied)


def rmsprop_step(
    w: Array,
    dw: ArrayLike,
    lr: float,
    velocity: Array,
    rho: float = 0.9,
    epsilon: float = 1e-7,
    momentum: float = 0.0,
    momentum_slot: Array | None = None,
    average_gradient: Array | None = None,
) -> None:
    """One step of RMSprop.

    `velocity = rho velocity + (1 - rho) dw²`, then `w -= increment` with
    `increment = lr dw / sqrt(velocity + epsilon)`. With an average gradient (in Keras: `centered`)
    `average_gradient = rho average_gradient + (1 - rho) dw`, and its square is taken off `velocity` under the
    root. With momentum `momentum_slot = momentum momentum_slot + increment`, and `w -= momentum_slot`.

    Args:
        w: the weights, float32 or float64, any shape and layout, writable; changed in place.
        dw: their gradient, shape and dtype of `w`.
        lr: learning rate; 0.001 is the default of Keras.
        velocity: moving average of dw², shape and dtype of `w`, changed in place; zeros at the start.
        rho: how much of an average is kept.
        epsilon: added under the root.
        momentum: 0 for none.
        momentum_slot: the moving step, like `velocity`. Needed with momentum, left alone without.
        average_gradient: moving average of dw, like `velocity`; None for the plain form.

    Raises:
        TypeError: an array or a number of another type, or arrays of different dtypes.
        ValueError: shapes that differ, a read-only array to change, arrays that share memory, momentum
            without its slot.

    Source: `keras.optimizers.RMSprop`.
    """
    lr, rho, epsilon = number(lr, "lr"), number(rho, "rho"), number(epsilon, "epsilon")
    momentum = number(momentum, "momentum")
    if momentum and momentum_slot is None:
        raise ValueError(f"momentum_slot must be an array with momentum {momentum}, got None")
    optional = {"momentum_slot": momentum_slot if momentum else None, "average_gradient": average_gradient}
    (w_, dw_, velocity_, slot, average), copied = lay_out(w, dw, {"velocity": velocity}, optional)
    _core.rmsprop_step(w_, dw_, lr, velocity_, rho, epsilon, momentum, slot, average)
    write_back(copied)


def adagrad_step(w: Array, dw: ArrayLike, lr: float, accumulator: Array, epsilon: float = 1e-7) -> None:
    """One step of Adagrad: `accumulator += dw²`, then `w -= lr dw / sqrt(accumulator + epsilon)`.

    Args:
        w: the weights, float32 or float64, any shape and layout, writable; changed in place.
        dw: their gradient, shape and dtype of `w`.
        lr: learning rate; 0.001 is the default of Keras.
        accumulator: sum of dw², shape and dtype of `w`, changed in place; 0.1 everywhere at the start in
            Keras.
        epsilon: added under the root.

    Raises:
        TypeError: an array or a number of another type, or arrays of different dtypes.
        ValueError: shapes that differ, a read-only array to change, arrays that share memory.

    Source: `keras.optimizers.Adagrad`.
    """
    lr, epsilon = number(lr, "lr"), number(epsilon, "epsilon")
    (w_, dw_, accumulator_), copied = lay_out(w, dw, {"accumulator": accumulator})
    _core.adagrad_step(w_, dw_, lr, accumulator_, epsilon)
    write_back(copied)


def adam_step(
    w: Array,
    dw: ArrayLike,
    lr: float,
    m: Array,
    v: Array,
    step: int,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    vhat: Array | None = None,
) -> None:
    """One step of Adam.

    `m += (dw - m)(1 - beta1)`, `v += (dw² - v)(1 - beta2)`, then
    `w -= lr sqrt(1 - beta2^step) / (1 - beta1^step) m / (sqrt(v) + epsilon)`. With `vhat`
    (in Keras: `amsgrad`) `vhat = max(vhat, v)`, which then stands for `v` in the last line. As in Keras,
    epsilon is not corrected for bias, and the powers of the betas are taken in the dtype of `w`.

    Args:
        w: the weights, float32 or float64, any shape and layout, writable; changed in place.
        dw: their gradient, shape and dtype of `w`.
        lr: learning rate; 0.001 is the default of Keras.
        m: moving average of dw, shape and dtype of `w`, changed in place; zeros at the start.
        v: moving average of dw², like `m`.
        step: number of this step, 1 for the first.
        beta1: how much of `m` is kept.
        beta2: how much of `v` is kept.
        epsilon: added to the root.
        vhat: largest `v` so far, like `m`; None for the plain form.

    Raises:
        TypeError: an array or a number of another type, or arrays of different dtypes.
        ValueError: shapes that differ, a read-only array to change, arrays that share memory, a step below 1.

    Source: `keras.optimizers.Adam`.
    """
    lr, epsilon = number(lr, "lr"), number(epsilon, "epsilon")
    beta1, beta2, step = number(beta1, "beta1"), number(beta2, "beta2"), step_number(step)
    (w_, dw_, m_, v_, vhat_), copied = lay_out(w, dw, {"m": m, "v": v}, {"vhat": vhat})
    _core.adam_step(w_, dw_, lr, m_, v_, step, beta1, beta2, epsilon, vhat_)
    write_back(copied)
