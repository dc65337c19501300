"""Lamina leaves the floating-point control of its host alone."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path


def test_floating_point_control_is_left_alone(compiler: str, tmp_path: Path) -> None:
    """Rounding mode, flush-to-zero and exception masks are as before import, in this thread, in new ones and
    in callbacks.
    """
    source = tmp_path / "control.c"
    source.write_text(
        "#if defined(__x86_64__)\n"
        "#include <immintrin.h>\n"
        "unsigned control(void) { return _mm_getcsr() & 0xffc0u; } /* without the sticky flags */\n"
        "#elif defined(__aarch64__)\n"
        'unsigned control(void) { unsigned long v; __asm__("mrs %0, fpcr" : "=r"(v)); return (unsigned)v; }\n'
        "#else\n"
        "#include <fenv.h>\n"
        "unsigned control(void) { return (unsigned)fegetround(); }\n"
        "#endif\n"
    )
    library = tmp_path / "control.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)],
        check=True,
        capture_output=True,
    )
    body = f"""
        import ctypes
        control = ctypes.CDLL({str(library)!r}).control
        control.restype = ctypes.c_uint
        before = control()
        import lamina
        from lamina import config, keras
        import numpy as np, json, threading
        config.set_num_threads(2)
        after_import = control()
        seen = []
        class Look(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                seen.append(control())
            def on_train_batch_end(self, batch, logs=None):
                seen.append(control())
        network = keras.Sequential([keras.Input((300,)), keras.layers.Dense(400, "tanh")])
        network.add(keras.layers.Dense(3, "softmax"))
        network.compile("adam", "sparse_categorical_crossentropy")
        x = np.random.default_rng(0).normal(size=(500, 300)).astype("float32") * 1e-30
        y = np.zeros(500, int)
        network.fit(x, y, verbose=0, callbacks=[Look()])
        network.predict(x, verbose=0)
        thread = threading.Thread(target=lambda: seen.append(control()))
        thread.start()
        thread.join()
        subnormal = np.array([1e-40], "float32")
        kept = bool((subnormal * np.float32(1) != 0).all() and np.finfo("float32").smallest_subnormal > 0)
        print(json.dumps([before, [after_import, control(), *seen], kept]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(body)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    before, later, kept = json.loads(done.stdout)
    assert len(later) > 3
    assert set(later) == {before}
    assert kept
