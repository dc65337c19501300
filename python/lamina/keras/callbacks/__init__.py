"""Callbacks: objects whose hooks `fit`, `evaluate` and `predict` call on their way."""

from lamina.keras._training.absent import refuse_absent
from lamina.keras.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
from lamina.keras.callbacks.callback import Callback as Callback
from lamina.keras.callbacks.callback_list import CallbackList as CallbackList
from lamina.keras.callbacks.csv_logger import CSVLogger as CSVLogger
from lamina.keras.callbacks.early_stopping import EarlyStopping as EarlyStopping
from lamina.keras.callbacks.history import History as History
from lamina.keras.callbacks.lambda_callback import LambdaCallback as LambdaCallback
from lamina.keras.callbacks.learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
from lamina.keras.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
from lamina.keras.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
from lamina.keras.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from lamina.keras.callbacks.remote_monitor import RemoteMonitor as RemoteMonitor
from lamina.keras.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
from lamina.keras.callbacks.tensorboard import TensorBoard as TensorBoard
from lamina.keras.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]

refuse_absent(__name__)
