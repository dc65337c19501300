"""Small public tools of `keras.utils`."""

from lamina.keras._training.absent import refuse_absent
from lamina.keras.utils.categorical import to_categorical as to_categorical
from lamina.keras.utils.console import disable_interactive_logging as disable_interactive_logging
from lamina.keras.utils.console import enable_interactive_logging as enable_interactive_logging
from lamina.keras.utils.console import is_interactive_logging_enabled as is_interactive_logging_enabled
from lamina.keras.utils.normalization import normalize as normalize
from lamina.keras.utils.progbar import Progbar as Progbar
from lamina.keras.utils.seeding import set_random_seed as set_random_seed

__all__ = [
    "Progbar",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "is_interactive_logging_enabled",
    "normalize",
    "set_random_seed",
    "to_categorical",
]

refuse_absent(__name__)
