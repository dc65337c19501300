"""`keras.backend`: the part of it that programs still use."""

from __future__ import annotations

from lamina.keras._training.absent import refuse_absent
from lamina.keras._training.naming import get_uid as get_uid
from lamina.keras.config import backend as backend
from lamina.keras.config import epsilon as epsilon
from lamina.keras.config import floatx as floatx
from lamina.keras.config import image_data_format as image_data_format
from lamina.keras.config import set_epsilon as set_epsilon
from lamina.keras.config import set_floatx as set_floatx
from lamina.keras.config import set_image_data_format as set_image_data_format
from lamina.keras.keras_tensor import is_keras_tensor as is_keras_tensor
from lamina.keras.utils.clearing import clear_session as clear_session
from lamina.keras.utils.dtypes import is_float_dtype as is_float_dtype
from lamina.keras.utils.dtypes import is_int_dtype as is_int_dtype
from lamina.keras.utils.dtypes import standardize_dtype as standardize_dtype
from lamina.keras.utils.promotion import result_type as result_type

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]


refuse_absent(__name__)
