"""RemoteMonitor: the logs of each epoch to a server."""

from __future__ import annotations

import json
import warnings

import numpy as np

from lamina.keras.callbacks.callback import Callback, Logs


class RemoteMonitor(Callback):
    """Posts the logs of each epoch, with `epoch` (from 0), to a server. Who can't be reached is warned of;
    the training goes on.

    Args:
        root: address of the server. Default "http://localhost:9000".
        path: on the server. Default "/publish/epoch/end/".
        field: the form's field that holds the logs as JSON. Default "data".
        headers: dict of further HTTP headers. Default None.
        send_as_json: True sends the JSON itself, as application/json. Default False.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        from http.client import HTTPException
        from urllib.parse import urlencode
        from urllib.request import Request, urlopen

        values = {
            name: value.item() if isinstance(value, (np.ndarray, np.generic)) else value
            for name, value in (logs or {}).items()
        }
        text = json.dumps({"epoch": epoch, **values})
        body = text if self.send_as_json else urlencode({self.field: text})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        request = Request(
            self.root + self.path,
            body.encode(),
            {"Content-Type": kind, **(self.headers or {})},
            method="POST",
        )
        try:
            with urlopen(request):
                pass
        except (OSError, HTTPException) as error:
            # An answer that is an error is an answer: like Keras's, this callback does not read it.
            if getattr(error, "code", None) is None:
                warnings.warn(
                    f"RemoteMonitor: root: expected a server that can be reached, got {self.root!r}: {error}",
                    stacklevel=2,
                )
