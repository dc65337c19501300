"""Large products of a GPU, which are cuBLAS's: by a library that stands in for it where a GPU is emulated."""

import os
from pathlib import Path

import fresh_process
import numpy as np
import pytest

import lamina


def test_tf32_is_off_until_it_is_asked_for() -> None:
    settings = lamina.config.experimental
    assert settings.tensor_float_32_execution_enabled() is False
    settings.enable_tensor_float_32_execution(True)
    assert settings.tensor_float_32_execution_enabled() is True
    settings.enable_tensor_float_32_execution(False)
    assert settings.tensor_float_32_execution_enabled() is False
    with pytest.raises(ValueError, match="enabled: expected True or False, got 1"):
        settings.enable_tensor_float_32_execution(1)


STANDIN = Path(os.environ.get("LAMINA_TEST_DEVICE_MODULE", "no module")).with_name("libstandin_cublas.so")


@pytest.mark.skipif(not STANDIN.is_file(), reason="the library that stands in for cuBLAS was not built")
def test_large_products_are_the_librarys() -> None:
    """A fit in which all products are large, by it and by own tiles; and with TF32, which rounds more."""

    def weights(library: str, tf32: bool, dtype: str = "float32") -> np.ndarray:
        found = fresh_process.run(
            f"""
            import lamina, numpy as np
            from lamina import _core
            _core.set_device_module({os.environ["LAMINA_TEST_DEVICE_MODULE"]!r})
            config.experimental.enable_tensor_float_32_execution({tf32})
            with lamina.device("cuda"):
                keras.utils.set_random_seed(1)
                layers = [keras.layers.Dense(260, a, dtype={dtype!r}) for a in ("tanh", "linear")]
                model = keras.Sequential([keras.Input((257,)), *layers])
            model.compile("sgd", "mse")
            rng = np.random.default_rng(0)
            x = rng.normal(size=(256, 257)).astype("f4")
            model.fit(x, x[:, :1] + np.zeros((1, 260)), 256, 2, verbose=0)
            print(json.dumps(np.concatenate([w.ravel() for w in model.get_weights()]).tolist()))
            """,
            LAMINA_CUBLAS=library,
        )
        return np.array(found)

    plain, tiles, rounded = weights(str(STANDIN), False), weights("off", False), weights(str(STANDIN), True)
    np.testing.assert_allclose(plain, tiles, atol=1e-5)
    assert np.abs(rounded - plain).max() > 10 * np.abs(tiles - plain).max()
    np.testing.assert_allclose(rounded, plain, atol=1e-2)
    mixed, by_tiles = (weights(library, False, "mixed_bfloat16") for library in (str(STANDIN), "off"))
    np.testing.assert_allclose(mixed, by_tiles, atol=1e-5)
    assert np.abs(mixed - plain).max() > 10 * np.abs(tiles - plain).max()


@pytest.mark.skipif(not STANDIN.is_file(), reason="the library that stands in for cuBLAS was not built")
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_library_that_is_named_but_not_there(dtype: str) -> None:
    said = fresh_process.run(
        f"""
        import lamina, numpy as np
        from lamina import _core
        _core.set_device_module({os.environ["LAMINA_TEST_DEVICE_MODULE"]!r})
        with lamina.device("cuda"):
            model = keras.Sequential([keras.Input((512,)), keras.layers.Dense(512, dtype={dtype!r})])
        try:
            model.predict(np.zeros((64, 512), "f4"), 64, verbose=0)
        except RuntimeError as error:
            print(json.dumps(str(error)))
        """,
        LAMINA_CUBLAS="/nowhere/libcublas.so",
    )
    assert "LAMINA_CUBLAS: expected 'off' or the path of libcublas.so.13, got /nowhere/libcublas.so" in said
