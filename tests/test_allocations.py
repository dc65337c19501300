"""A step allocates nothing: the number of calls to the C allocator does not depend on the number of steps."""

import subprocess
import sys
from pathlib import Path

import pytest
from fresh_process import run
from surface_cases import CASES

COUNTER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_long calls;
long allocation_count(void) { return calls; }

/* dlsym itself allocates once before the real functions are known. */
static char early[1 << 16];
static size_t used;
static void *from_early(size_t size) {
  void *out = early + used;
  used += (size + 63) & ~(size_t)63;
  return used <= sizeof early ? out : NULL;
}
static int is_early(void *p) { return (char *)p >= early && (char *)p < early + sizeof early; }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
extern void *malloc(size_t), *calloc(size_t, size_t), *realloc(void *, size_t), free(void *);
extern void *aligned_alloc(size_t, size_t), *memalign(size_t, size_t);
extern int posix_memalign(void **, size_t, size_t);

static __thread int inside;
void *malloc(size_t n) {
  static void *(*real)(size_t);
  if (!real) { if (inside) return from_early(n); inside = 1; real = REAL(malloc); inside = 0; }
  calls++;
  return real(n);
}
void *calloc(size_t k, size_t n) {
  static void *(*real)(size_t, size_t);
  if (!real) { if (inside) return from_early(k * n); inside = 1; real = REAL(calloc); inside = 0; }
  calls++;
  return real(k, n);
}
void *realloc(void *p, size_t n) {
  static void *(*real)(void *, size_t);
  if (!real) { inside = 1; real = REAL(realloc); inside = 0; }
  calls++;
  return real(p, n);
}
void *aligned_alloc(size_t a, size_t n) {
  static void *(*real)(size_t, size_t);
  if (!real) real = REAL(aligned_alloc);
  calls++;
  return real(a, n);
}
void *memalign(size_t a, size_t n) {
  static void *(*real)(size_t, size_t);
  if (!real) real = REAL(memalign);
  calls++;
  return real(a, n);
}
int posix_memalign(void **out, size_t a, size_t n) {
  static int (*real)(void **, size_t, size_t);
  if (!real) real = REAL(posix_memalign);
  calls++;
  return real(out, a, n);
}
void free(void *p) {
  static void (*real)(void *);
  if (is_early(p)) return;
  if (!real) real = REAL(free);
  real(p);
}
"""


@pytest.fixture(scope="module")
def counter(compiler: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A shared library that counts every call to the C allocator, put before it by LD_PRELOAD."""
    if not sys.platform.startswith("linux"):
        pytest.skip("LD_PRELOAD is Linux's")
    folder = tmp_path_factory.mktemp("counter")
    (folder / "counter.c").write_text(COUNTER)
    subprocess.run(
        [
            compiler,
            "-shared",
            "-fPIC",
            "-O1",
            "-o",
            str(folder / "counter.so"),
            str(folder / "counter.c"),
            "-ldl",
        ],
        check=True,
        capture_output=True,
    )
    return str(folder / "counter.so")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("optimizer", "policy"),
    [*((name, "float32") for name in ("sgd", "rmsprop", "adagrad", "adam")), ("sgd", "mixed_bfloat16")],
)
def test_the_number_of_allocations_does_not_depend_on_the_number_of_steps(
    counter: str, optimizer: str, policy: str, threads: int
) -> None:
    """A fit over 10 batches and one over 1,000 make the same number of calls to malloc and its kin: a step
    makes none.
    """
    counts = run(
        f"""
        import ctypes, gc
        count = ctypes.CDLL(None).allocation_count
        count.restype = ctypes.c_long
        config.set_num_threads({threads})
        keras.config.set_dtype_policy({policy!r})
        network = model({optimizer!r})
        batch = 32
        few, many = data(10 * batch - 5), data(1000 * batch - 5)
        def cost(x, y, call):
            gc.collect()
            gc.disable()
            before = count()
            call(x, y)
            after = count()
            gc.enable()
            return after - before
        fit = lambda x, y: network.fit(x, y, batch_size=batch, verbose=0)
        evaluate = lambda x, y: network.evaluate(x, y, batch_size=batch, verbose=0)
        predict = lambda x, y: network.predict(x, batch_size=batch, verbose=0)
        counts = {{}}
        for name, call in (("fit", fit), ("evaluate", evaluate), ("predict", predict)):
            for _ in range(3):  # the first calls fill caches of Python and of the threads
                call(*few)
                call(*many)
            counts[name] = [sorted(cost(x, y, call) for _ in range(5))[0] for x, y in (few, many)]
        probe = cost(0, 0, lambda x, y: ctypes.CDLL(None).malloc(100))
        print(json.dumps([counts, probe]))
        """,
        LD_PRELOAD=counter,
    )
    by_call, probe = counts
    assert probe > 0, "the counter counts nothing"
    for name, (few, many) in by_call.items():
        assert few == many, f"{name}: {few} allocations for 10 batches, {many} for 1,000"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_no_part_of_the_dense_surface_allocates(counter: str, name: str, threads: int) -> None:
    """A fit over 10 batches and one over 300, each with its validation."""
    few, many = run(
        f"""
        import ctypes, gc
        from surface_cases import CASES, data
        count = ctypes.CDLL(None).allocation_count
        count.restype = ctypes.c_long
        config.set_num_threads({threads})
        network = CASES[{name!r}]()
        few, many = data(10 * 32 - 5), data(300 * 32 - 5)
        def cost(x, y):
            gc.collect()
            gc.disable()
            before = count()
            network.fit(x, y, batch_size=32, validation_data=(x, y), verbose=0)
            after = count()
            gc.enable()
            return after - before
        for _ in range(3):
            cost(*few), cost(*many)
        print(json.dumps([sorted(cost(*each) for _ in range(5))[0] for each in (few, many)]))
        """,
        LD_PRELOAD=counter,
        PYTHONPATH=str(Path(__file__).parent),
    )
    assert few == many, f"{few} allocations for 10 batches, {many} for 300"


OPTIONS = (
    "clipnorm=0.5, weight_decay=0.1, use_ema=True, ema_overwrite_frequency=3, gradient_accumulation_steps=2"
)


@pytest.mark.parametrize(
    ("optimizer", "threads"),
    [
        ("'adam', 0.01", 1),
        ("'adam', 0.01", 2),
        (f"'nadam', 0.01, {OPTIONS}", 2),
        ("'lamb', 0.01, global_clipnorm=1.0", 1),
        ("'muon', 0.01", 2),
        ("'adafactor', 0.01", 1),
    ],
)
def test_an_epoch_allocates_nothing(counter: str, optimizer: str, threads: int) -> None:
    """A run of 10 epochs and one of 3,000, shuffled and validated, make the same number of calls."""
    counts = run(
        f"""
        import ctypes, gc
        count = ctypes.CDLL(None).allocation_count
        count.restype = ctypes.c_long
        config.set_num_threads({threads})
        core = lamina._core
        network = core.Network32(20)
        network.add_dense(1, 20, 8, "relu", True)
        network.add_prelu(8, (1,), [0] * 8)
        network.add_nonlinearity(1, 8, "gelu", ())
        network.add_nonlinearity(1, 8, "sparsemax", ())
        network.add_dense(1, 8, 5, "softmax", True)
        network.build()
        loss, metric = "sparse_categorical_crossentropy", "sparse_categorical_accuracy"
        optimizer = core.Optimizer32({optimizer})
        optimizer.set_schedule(core.Schedule("cosine", initial=0.01, steps=5000.0))
        trainer = core.Trainer32(network, optimizer, loss, False, 0.0, "sum_over_batch_size", [metric])
        train, validation = core.Dataset(*data(61)), core.Dataset(*data(31))
        def cost(epochs):
            run = trainer.epochs(train, 0, epochs, 16, True, 1, 0, validation, 16)
            before = count()
            run.run(lambda: None)
            return count() - before
        gc.disable()
        for _ in range(3):
            cost(10), cost(3000)
        print(json.dumps([sorted(cost(epochs) for _ in range(5))[0] for epochs in (10, 3000)]))
        """,
        LD_PRELOAD=counter,
    )
    few, many = counts
    assert few == many, f"{few} allocations for 10 epochs, {many} for 3,000"
