"""Optimizers and their options, drawn at random: each as arguments that both libraries take."""

from types import ModuleType
from typing import Any

from hypothesis import strategies as st

RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "sgd momentum": ("SGD", {"momentum": 0.9}),
    "sgd nesterov": ("SGD", {"momentum": 0.8, "nesterov": True}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop momentum centered": (
        "RMSprop",
        {"rho": 0.8, "momentum": 0.7, "centered": True, "epsilon": 1e-2},
    ),
    "adagrad": ("Adagrad", {"initial_accumulator_value": 0.3}),
    "adam": ("Adam", {}),
    "adam amsgrad": ("Adam", {"beta_1": 0.8, "beta_2": 0.9, "amsgrad": True, "epsilon": 1e-3}),
    "adamw": ("AdamW", {}),
    "adadelta": ("Adadelta", {}),
    "adadelta fast": ("Adadelta", {"rho": 0.8, "epsilon": 1e-2}),
    "adamax": ("Adamax", {"beta_2": 0.9}),
    "nadam": ("Nadam", {}),
    "nadam slow": ("Nadam", {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}),
    "ftrl": ("Ftrl", {}),
    "ftrl l1": (
        "Ftrl",
        {
            "learning_rate_power": -0.7,
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.2,
            "beta": 0.3,
        },
    ),
    "lion": ("Lion", {}),
    "lamb": ("Lamb", {}),
    "schedule free": ("ScheduleFreeAdamW", {}),
    "schedule free warmup": ("ScheduleFreeAdamW", {"warmup_steps": 3, "beta_1": 0.7, "epsilon": 1e-4}),
}

RULES.update(
    {
        "adafactor": ("Adafactor", {}),
        "adafactor options": (
            "Adafactor",
            {"beta_2_decay": -0.5, "epsilon_1": 1e-3, "epsilon_2": 0.5, "clip_threshold": 0.7},
        ),
        "muon": ("Muon", {}),
        "muon options": (
            "Muon",
            {
                "adam_beta_1": 0.8,
                "adam_beta_2": 0.9,
                "adam_weight_decay": 0.3,
                "epsilon": 1e-3,
                "exclude_layers": ["wi.e"],
                "muon_a": 3.0,
                "adam_lr_ratio": 0.5,
                "momentum": 0.8,
                "ns_steps": 3,
                "nesterov": False,
                "rms_rate": None,
            },
        ),
    }
)

CLIPPING = st.sampled_from(
    [
        {},
        {},
        {"clipnorm": 0.5},
        {"global_clipnorm": 0.9},
        {"clipvalue": 0.3},
        {"clipnorm": 1e3},
        {"clipnorm": 0.0},
    ]
)
DECAY = st.sampled_from([{}, {}, {"weight_decay": 0.02}, {"weight_decay": 0.3}])
AVERAGE = st.sampled_from(
    [
        {},
        {},
        {"use_ema": True},
        {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
        {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3},
    ]
)
ACCUMULATION = st.sampled_from(
    [{}, {}, {"gradient_accumulation_steps": 2}, {"gradient_accumulation_steps": 3}]
)
RATES = st.sampled_from(
    [
        0.05,
        0.01,
        ("ExponentialDecay", (0.05, 2, 0.7)),
        ("CosineDecay", (0.01, 5, 0.1, "CosineDecay", 0.05, 2)),
        ("PiecewiseConstantDecay", ([1, 3], [0.05, 0.02, 0.01])),
    ]
)


@st.composite
def drawn_optimizers(draw: st.DrawFn) -> tuple[str, Any, dict[str, Any]]:
    """(rule, learning rate, options)"""
    options: dict[str, Any] = {}
    for part in (CLIPPING, DECAY, AVERAGE, ACCUMULATION):
        options.update(draw(part))
    return draw(st.sampled_from(sorted(RULES))), draw(RATES), options


def made(keras: ModuleType, rule: str, rate: Any, options: dict[str, Any]) -> Any:
    """The optimizer of one library."""
    name, numbers = RULES[rule]
    if isinstance(rate, tuple):
        kind, arguments = rate
        rate = getattr(keras.optimizers.schedules, kind)(*arguments)
    return getattr(keras.optimizers, name)(learning_rate=rate, name="o", **numbers, **options)
