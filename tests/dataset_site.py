"""A web server on this machine that offers small data sets, whole or damaged."""

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import numpy.typing as npt


def idx(values: npt.NDArray[np.uint8]) -> bytes:
    """The IDX bytes of an array."""
    lengths = b"".join(length.to_bytes(4, "big") for length in values.shape)
    return bytes([0, 0, 8, values.ndim]) + lengths + values.tobytes()


def small_fashion() -> dict[str, npt.NDArray[np.uint8]]:
    rng = np.random.default_rng(1)
    return {
        "train-images-idx3-ubyte.gz": rng.integers(0, 256, (60, 28, 28), dtype=np.uint8),
        "train-labels-idx1-ubyte.gz": rng.integers(0, 10, 60, dtype=np.uint8),
        "t10k-images-idx3-ubyte.gz": rng.integers(0, 256, (10, 28, 28), dtype=np.uint8),
        "t10k-labels-idx1-ubyte.gz": rng.integers(0, 10, 10, dtype=np.uint8),
    }


def small_mnist() -> tuple[dict[str, npt.NDArray[np.uint8]], bytes]:
    fashion = list(small_fashion().values())
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), fashion, strict=True))
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return arrays, file.getvalue()


class Site:
    """A web server on the loopback address. `files` maps names to (bytes sent, announced length or None)."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, int | None]] = {}
        self.requests: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rsplit("/", 1)[-1]
                site.requests.append(name)
                if name not in site.files:
                    self.send_error(404)
                    return
                body, announced = site.files[name]
                self.send_response(200)
                if announced is not None:
                    self.send_header("Content-Length", str(announced))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False  # so that closing waits for them
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def serve(self, name: str, body: bytes) -> None:
        self.files[name] = (body, len(body))

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
