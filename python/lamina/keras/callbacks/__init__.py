"""Callbacks: objects whose hooks `fit`, `evaluate` and `predict` call on their way."""

from lamina.keras._training.absent import refuse_absent
from lamina.keras.callbacks.callback import Callback as Callback
from lamina.keras.callbacks.callback_list import CallbackList as CallbackList
from lamina.keras.callbacks.early_stopping import EarlyStopping as EarlyStopping
from lamina.keras.callbacks.history import History as History
from lamina.keras.callbacks.lambda_callback import LambdaCallback as LambdaCallback
from lamina.keras.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
from lamina.keras.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "ProgbarLogger",
    "TerminateOnNaN",
]

refuse_absent(__name__)
