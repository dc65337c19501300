"""Optimizer: the base class, and what all optimizers share."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lamina.keras._training.naming import auto_name
from lamina.keras.config import floatx
from lamina.keras.layers.variable import Variable
from lamina.keras.optimizers import schedules
from lamina.keras.optimizers.application import gradients_of, write_weights_of
from lamina.keras.optimizers.arguments import COMMON, check_common, check_rate
from lamina.keras.optimizers.core_optimizer import CoreOptimizer
from lamina.keras.optimizers.schedules import LearningRateSchedule
from lamina.keras.utils.serialization import serialize_object


class Optimizer(CoreOptimizer):
    """Base class of the optimizers. The core takes the steps.

    Each step, in this order: gradients are divided by loss_scale_factor (in `apply`), accumulated, clipped;
    weights decay; the rule of the optimizer is applied; averages are taken; constraints are applied.

    Args:
        learning_rate: a finite float; a `LearningRateSchedule`, evaluated at every step, the built-in ones in
            the core; or a function without arguments, called at every step.
        weight_decay: w -= w weight_decay learning_rate, before the rule. Default None, none.
        clipnorm: each variable's gradient g becomes g clipnorm / max(|g|, clipnorm). Default None.
        clipvalue: gradients are cut to [-clipvalue, clipvalue]. Default None.
        global_clipnorm: as clipnorm, with the norm of all gradients together. Default None. At most one of
            the three; what is not above 0 clips nothing.
        use_ema: whether an average of the weights is kept, a = ema_momentum a + (1 - ema_momentum) w, from
            the weights after the first step on; it takes their place when `fit` ends. Default False.
        ema_momentum: in [0, 1], default 0.99.
        ema_overwrite_frequency: the average takes the weights' place after every so many steps, too. Default
            None, never.
        loss_scale_factor: what a loss was multiplied by before `apply` gets its gradients; `fit`, whose
            gradients need no scaling, gives the results of the loss as it is. Default None.
        gradient_accumulation_steps: a step is taken every so many (>= 2) calls, by the mean of their
            gradients. Default None. Schedules go by calls, `iterations` counts steps.
        name: default the class's name in snake case, made unique.

    An optimizer belongs to one model, or to the variables of the first `apply`. It can be pickled and copied
    at any time, with its state.

    Raises:
        ValueError: an argument is out of its range or not known.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("decay", None) is not None:
            warnings.warn(
                "decay: Keras 3 ignores this argument of older versions, and so does Lamina", stacklevel=3
            )
        if kwargs:
            raise ValueError(f"{type(self).__name__}: unknown arguments {', '.join(sorted(kwargs))}")
        given = {
            "weight_decay": weight_decay,
            "clipnorm": clipnorm,
            "global_clipnorm": global_clipnorm,
            "clipvalue": clipvalue,
            "use_ema": use_ema,
            "ema_momentum": ema_momentum,
            "ema_overwrite_frequency": ema_overwrite_frequency,
            "loss_scale_factor": loss_scale_factor,
            "gradient_accumulation_steps": gradient_accumulation_steps,
        }
        check_common(given)
        if not self._kind or hasattr(self, "update_step"):
            raise TypeError(
                f"{type(self).__name__}: expected one of Lamina's optimizers: the base class has no "
                "update rule, and one of your own (update_step) is not supported"
            )
        self.__dict__.update(given)
        self.name = name or auto_name(type(self).__name__)
        super().__init__()
        self._undecayed: tuple[set[int], re.Pattern[str] | None] = (set(), None)
        # The core counts and looks up the learning rate here.
        self._iterations = self._scalar(0, "iteration", "int64")
        if callable(learning_rate):
            self._learning_rate: Any = learning_rate
        else:
            self._learning_rate = self._scalar(check_rate(learning_rate), "learning_rate", floatx())

    def _scalar(self, value: float, name: str, dtype: str) -> Variable:
        return Variable.over(np.array(value, dtype), name, False, f"{self.name}/{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get("_core") is not None and (name in COMMON or name in self._hyperparameters()):
            raise AttributeError(
                f"{type(self).__name__}: {name}: can't change once training has begun; make another optimizer"
            )
        if name in COMMON:
            check_common({**{known: getattr(self, known) for known in COMMON}, name: value})
        if name == "lr":
            warnings.warn(
                "lr: Keras 3 ignores this older name, and so does Lamina; set learning_rate", stacklevel=2
            )
        super().__setattr__(name, value)

    # -- learning rate and state -----------------------------------------------------------------------------
    @property
    def learning_rate(self) -> Any:
        """The learning rate: a `Variable` of floatx; or what the schedule or function gives. It can
        be set, unless it is a schedule, and the next batch uses it.
        """
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        return self._learning_rate if isinstance(self._learning_rate, Variable) else self._learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value) and not isinstance(value, Variable):
            self._learning_rate = value
        elif not isinstance(self._learning_rate, Variable):
            raise TypeError(
                f"learning_rate: can't be set, since this optimizer was made with {self._learning_rate!r}; "
                "make it with a float"
            )
        else:
            # Where the first learning rate must be a float, Keras lets an int be assigned.
            rate = float(value) if type(value) is int or isinstance(value, (np.integer, Variable)) else value
            self._learning_rate.assign(check_rate(rate))
        if self._core is not None:
            self._share()

    @property
    def iterations(self) -> Any:
        """Number of steps taken so far, a `Variable`; a number where gradients are accumulated."""
        steps = self.gradient_accumulation_steps  # type: ignore[attr-defined]
        return self._iterations // steps if steps else self._iterations

    @property
    def variables(self) -> list[Variable]:
        """Count of calls, learning rate (unless a schedule) and, once built, the slots; in Keras's order."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, Variable) else []
        return [self._iterations, *rate, *(self._slot_variables() if self.built else [])]

    def _slot_variables(self) -> list[Variable]:
        slots = []
        for slot, index, view in self._core.slots():
            if index < 0:
                slots.append(Variable.over(view, "variable", False))
            else:
                slots.append(self._slot_variable(slot, index, view))
        return slots

    def _slot_variable(self, slot: str, index: int, view: Any) -> Variable:
        variable = self._trainable_variables[index]
        name = f"{variable.path.replace('/', '_')}_{slot}"
        return Variable.over(view.reshape(variable.shape), name, False, f"{self.name}/{name}")

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write the values of `variables`, in their order.

        Raises:
            ValueError: the optimizer is not built, or a shape differs.
        """
        if not self.built:
            raise ValueError("set_weights: the optimizer is not built yet; call build(variables) first")
        for variable, weight in zip(self.variables, weights, strict=False):
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Write the values of `variables` into a dict, under "0", "1" …"""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the values of `variables` from what `save_own_variables` wrote. Another number of them is
        skipped with a warning, as by Keras.
        """
        variables = self.variables
        if len(store.keys()) != len(variables):
            warnings.warn(
                f"optimizer {self.name!r}: its {len(variables)} variables are left as they are: the store "
                f"has {len(store.keys())}" + ("" if self.built else "; the optimizer is not built yet"),
                stacklevel=2,
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(i)]))

    # -- steps on one's own gradients ------------------------------------------------------------------------
    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots for these variables; `fit` and the first `apply` do so by themselves.

        Raises:
            ValueError: they are not all of one float dtype.
        """
        if self.built:
            return
        variables = list(variables)
        dtypes = {variable.dtype for variable in variables}
        if len(dtypes) > 1 or not dtypes <= {"float32", "float64"}:
            raise ValueError(
                f"variables: expected all float32 or all float64, got {', '.join(sorted(dtypes))}"
            )
        core = self.core(dtypes.pop() if dtypes else self._core_dtype or floatx())
        if not core.bound:
            core.build([variable.value for variable in variables])
        core.exclude_from_decay([not self._decays(variable) for variable in variables])
        self._trainable_variables = variables
        self.built = True

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Let some variables not decay; before the optimizer is built.

        Args:
            var_list: the variables themselves.
            var_names: regular expressions; a variable whose path contains one is left out.

        Raises:
            ValueError: the optimizer is built already.
        """
        if self.built:
            raise ValueError("exclude_from_weight_decay: expected an optimizer that is not built yet")
        pattern = re.compile("|".join(set(var_names))) if var_names else None
        self._undecayed = ({id(variable) for variable in var_list or ()}, pattern)

    def _decays(self, variable: Variable) -> bool:
        identities, pattern = self._undecayed
        return id(variable) not in identities and not (pattern and pattern.search(variable.path))

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step with these gradients.

        Args:
            grads: arrays in the shapes of the variables; None for a variable without a gradient, which stays
                as it is.
            trainable_variables: `Variable`s, a gradient each; those that the optimizer was built for, or some
                of them. Default all of them.

        Raises:
            ValueError: numbers or shapes don't match, or there is no gradient at all.
        """
        if len(grads) == 0:
            return
        if trainable_variables is None and not self.built:
            raise ValueError("apply: expected variables, or an optimizer that is built (call build)")
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if not self.built:
            self.build(variables)
        ordered = gradients_of(self, grads, variables, self._trainable_variables)
        write_weights_of(self._core, ordered, self._trainable_variables)
        for variable in variables:
            constraint = getattr(variable, "constraint", None)
            if constraint is not None:
                variable.assign(constraint(variable.value))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """`apply` for pairs (gradient, variable); returns the count of calls."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self._iterations

    def scale_loss(self, loss: Any) -> Any:
        """loss * loss_scale_factor, if there is one."""
        scale = self.loss_scale_factor  # type: ignore[attr-defined]
        return loss if scale is None else loss * scale

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Put the averages of `use_ema` in the place of the weights, as `fit` does when it ends.

        Raises:
            ValueError: another number of variables than the optimizer was built for.
        """
        for variable, average in zip(var_list, self.averages_for(var_list), strict=True):
            variable.assign(average.reshape(variable.shape))

    def averages_for(self, var_list: Sequence[Variable]) -> Sequence[Any]:
        """The averages that `finalize_variable_values` puts there, or its error; what is
        there if it keeps none.
        """
        if not self.use_ema or not self.built:  # type: ignore[attr-defined]
            return [variable.value for variable in var_list]
        averages = [view for slot, _, view in self._core.slots() if slot == "average"]
        if len(averages) != len(var_list):
            raise ValueError(
                f"var_list: expected the {len(averages)} variables that the optimizer averages, "
                f"got {len(var_list)} that learn; make another optimizer"
            )
        return averages

    # -- configs and copies ----------------------------------------------------------------------------------
    def _hyperparameters(self) -> dict[str, Any]:
        """The arguments of the config beside those that all optimizers take."""
        return {}

    def _core_arguments(self) -> dict[str, Any]:
        return self._hyperparameters()

    def get_config(self) -> dict[str, Any]:
        """All arguments by name."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = schedules.serialize(rate)
        elif isinstance(rate, Variable):
            rate = float(rate)
        else:
            rate = serialize_object(rate, "builtins")
        common = {name: getattr(self, name) for name in COMMON}
        return {"name": self.name, "learning_rate": rate, **common, **self._hyperparameters()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """An optimizer with these arguments and no steps taken."""
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            config = {**config, "learning_rate": schedules.deserialize(rate, custom_objects)}
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._core is not None:
            slots = self._core.get_state()[1]
            if slots or self._restored is None:  # not trained since: the core has none to give yet
                state["_restored"] = slots
        if self.built:
            state["_known_paths"] = [variable.path for variable in self._trainable_variables]
        state.update(_core=None, _core_dtype=None, _owner=None, built=False, _trainable_variables=[])
        return state
