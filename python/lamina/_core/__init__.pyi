"""Types and contract of the compiled core. At run time it is one module; its types are here by noun."""

from lamina._core.bfloat16 import bfloat16_activation_gradient as bfloat16_activation_gradient
from lamina._core.bfloat16 import bfloat16_dense as bfloat16_dense
from lamina._core.bfloat16 import bfloat16_dense_gradient as bfloat16_dense_gradient
from lamina._core.dataset import Dataset as Dataset
from lamina._core.epochs import Epochs as Epochs
from lamina._core.epochs import run_together as run_together
from lamina._core.machine import CopyBlocks as CopyBlocks
from lamina._core.machine import build_info as build_info
from lamina._core.machine import device_names as device_names
from lamina._core.machine import get_num_threads as get_num_threads
from lamina._core.machine import hand_over as hand_over
from lamina._core.machine import peak_multiply_add as peak_multiply_add
from lamina._core.machine import require_device as require_device
from lamina._core.machine import set_device_module as set_device_module
from lamina._core.machine import set_isa as set_isa
from lamina._core.machine import set_num_threads as set_num_threads
from lamina._core.machine import take_profile as take_profile
from lamina._core.network import Network32 as Network32
from lamina._core.network import Network64 as Network64
from lamina._core.ops import activation as activation
from lamina._core.ops import activation_grad as activation_grad
from lamina._core.ops import adagrad_step as adagrad_step
from lamina._core.ops import adam_step as adam_step
from lamina._core.ops import are_apart as are_apart
from lamina._core.ops import are_plain as are_plain
from lamina._core.ops import dense as dense
from lamina._core.ops import dense_grad as dense_grad
from lamina._core.ops import loss as loss
from lamina._core.ops import loss_grad as loss_grad
from lamina._core.ops import loss_rows as loss_rows
from lamina._core.ops import matmul as matmul
from lamina._core.ops import nonlinearity as nonlinearity
from lamina._core.ops import nonlinearity_grad as nonlinearity_grad
from lamina._core.ops import rmsprop_step as rmsprop_step
from lamina._core.ops import sgd_step as sgd_step
from lamina._core.optimizer import Optimizer32 as Optimizer32
from lamina._core.optimizer import Optimizer64 as Optimizer64
from lamina._core.optimizer import Schedule as Schedule
from lamina._core.random import permutation as permutation
from lamina._core.random import philox as philox
from lamina._core.random import random_normal as random_normal
from lamina._core.random import random_uniform as random_uniform
from lamina._core.trainer import Trainer32 as Trainer32
from lamina._core.trainer import Trainer64 as Trainer64

__version__: str
