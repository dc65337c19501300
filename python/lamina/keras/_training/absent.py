"""Names that Keras has and Lamina doesn't yet: refused as such, not as unknown."""

from __future__ import annotations

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

# By namespace, as of Keras 3.15.1.
NAMES: dict[str, str] = {
    "keras": """
        Function InputSpec Model Operation Quantizer
        RematScope StatelessScope SymbolicScope applications device
        distillation distribution export legacy name_scope ops
        preprocessing quantizers random remat tree visualization wrappers
    """,
    "keras.callbacks": """
        OrbaxCheckpoint
    """,
    "keras.config": """
        enable_unsafe_deserialization set_backend
    """,
    "keras.datasets": """
        boston_housing california_housing cifar10 cifar100 imdb reuters
    """,
    "keras.dtype_policies": """
        AWQDTypePolicy DTypePolicyMap GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy
        QuantizedFloat8DTypePolicy
    """,
    "keras.initializers": """
        STFT STFTInitializer stft
    """,
    "keras.layers": """
        AdaptiveAveragePooling1D AdaptiveAveragePooling2D
        AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
        AdditiveAttention Attention AugMix AutoContrast Average AveragePooling1D AveragePooling2D
        AveragePooling3D AvgPool1D AvgPool2D AvgPool3D Bidirectional CategoryEncoding CenterCrop
        Concatenate ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D
        Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D
        Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D
        Convolution3DTranspose Cropping1D Cropping2D Cropping3D CutMix DepthwiseConv1D
        DepthwiseConv2D Discretization Dot EinsumDense Embedding Equalization FlaxLayer GRU
        GRUCell GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D
        GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
        GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupQueryAttention HashedCrossing
        Hashing InputSpec IntegerLookup JaxLayer LSTM LSTMCell Lambda Masking
        MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D
        Maximum MelSpectrogram Minimum MixUp MultiHeadAttention Multiply Permute Pipeline RNN
        RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast
        RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur
        RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
        RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom RepeatVector
        Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D
        SeparableConvolution1D SeparableConvolution2D SimpleRNN SimpleRNNCell Solarization
        SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells
        StringLookup Subtract TFSMLayer TextVectorization TimeDistributed TorchModuleWrapper
        UpSampling1D UpSampling2D UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D add
        average concatenate dot maximum minimum multiply subtract
    """,
    "keras.losses": """
        CTC ctc
    """,
    "keras.models": """
        Model
    """,
    "keras.optimizers": """
        legacy
    """,
    "keras.saving": """
        KerasFileEditor
    """,
    "keras.utils": """
        Config FeatureSpace array_to_img
        audio_dataset_from_directory bounding_boxes
        get_source_inputs image_dataset_from_directory img_to_array
        legacy load_img
        save_img
        text_dataset_from_directory timeseries_dataset_from_array
    """,
}

# Of those, what will stay out, and why.
REASONS = {
    "keras.config.set_backend": "there is one; see lamina.config.set_backend",
    "keras.config.enable_unsafe_deserialization": "code that a file holds is never run",
    "keras.layers.Lambda": "a function of one's own needs automatic differentiation, which Lamina has not",
}

# By class: public methods and attributes that programs use.
ATTRIBUTES: dict[str, str] = {
    "Sequential": """
        add_metric add_variable add_weight autocast call call_signature_parameters compiled_loss
        compiled_metrics compute_loss compute_mask compute_metrics compute_output_shape compute_output_spec
        distribute_reduction_method distribute_strategy get_quantization_layer_structure get_state_tree
        input_spec load_own_variables make_predict_function make_test_function make_train_function
        metrics_variables path predict_function predict_step quantization_mode quantize quantized_build
        quantized_call rematerialized_call save_own_variables set_state_tree stateless_call
        stateless_compute_loss supports_jit supports_masking symbolic_call test_function test_step
        train_function train_step unrolled_steps_per_execution
    """,
    "Layer": """
        add_metric add_variable add_weight call call_signature_parameters compute_mask compute_output_spec
        convert_weight enable_lora input_spec lora_alpha lora_enabled metrics path quantization_mode quantize
        quantized_build quantized_call rematerialized_call stateless_call supports_jit supports_masking
        symbolic_call variable_serialization_spec
    """,
    "Optimizer": """
        add_optimizer_variables add_variable add_variable_from_reference assign assign_add assign_sub
        check_finite momentums stateless_apply update_step
    """,
    "Metric": """
        stateless_reset_state stateless_result stateless_update_state
    """,
}
_STEPS = "the compiled core takes the steps; callbacks see the batches"
REASONS |= {
    f"keras.Sequential.{name}": _STEPS
    for name in ("compute_loss", "train_step", "test_step", "predict_step", "make_train_function")
}


def absent_error(module: str, name: str, caller: FrameType) -> ImportError | AttributeError:
    """What to raise where a program asks a module for a name that it hasn't.

    Args:
        module: the module's `__name__`.
        name: what was asked for.
        caller: the frame that asked. A `from … import` there drops an AttributeError's text, so that it gets
            an ImportError.
    """
    namespace = module.removeprefix("lamina.")
    if name not in NAMES.get(namespace, "").split():
        public = ", ".join(vars(sys.modules[module]).get("__all__", ()))
        return AttributeError(f"module {module!r} has no attribute {name!r}; it has {public}")
    text = _refusal(namespace, name)
    return ImportError(text) if _is_importing(caller) else AttributeError(text)


def refuse_absent(module: str) -> None:
    """Make a module say so when it is asked for a name that only Keras has."""

    def look_up(name: str) -> Any:
        raise absent_error(module, name, sys._getframe(1))

    # Set here, not written in the module: a type checker would take any name for known there.
    sys.modules[module].__dict__["__getattr__"] = look_up


class AbsentModules:
    """A finder of modules that refuses Keras's in the same way: `import lamina.keras.applications`. It stands
    behind all others, so that it is asked for what nobody finds.
    """

    @staticmethod
    def find_spec(module: str, path: Any = None, target: Any = None) -> None:
        namespace, _, name = module.removeprefix("lamina.").rpartition(".")
        if module.startswith("lamina.keras.") and name in NAMES.get(namespace, "").split():
            raise ModuleNotFoundError(_refusal(namespace, name), name=module)


class KerasAttributes:
    """Base of the classes whose objects refuse Keras's attributes in the same way."""

    if not TYPE_CHECKING:  # it would take any attribute for known

        def __getattr__(self, name):
            for kind in type(self).__mro__:
                if name in ATTRIBUTES.get(kind.__name__, "").split():
                    raise AttributeError(_refusal(f"keras.{kind.__name__}", name))
            return object.__getattribute__(self, name)  # the error of old, or that of a property


def _refusal(namespace: str, name: str) -> str:
    reason = REASONS.get(f"{namespace}.{name}")
    if reason is not None:
        return f"{namespace}.{name}: Keras's, but not supported by Lamina: {reason}"
    return f"{namespace}.{name}: Keras's, but not supported by Lamina yet"


def _is_importing(frame: FrameType) -> bool:
    # Elsewhere a name that is not there must be an AttributeError: hasattr() and getattr() rely on it.
    from opcode import opmap

    return frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
