"""Trains from a Karabo bridge. The only module that imports karabo_bridge, inside its functions.

A thread receives, so that the newest image is ready when the last one has been analysed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hrixs.live.endpoint import require_endpoint
from hrixs.live.trains import TrainData
from hrixs.utils.checks import whole_number

SOCKETS = ("REQ", "SUB", "PULL")
_POLL_MS = 100


@dataclass(frozen=True)
class Train:
    """One received train.

    Attributes
    ----------
    train_id : int
        Id of the train.
    data : mapping
        Values by source and key. Trains without an image have keys only.
    stamp : float or None
        Time in the train's metadata, in seconds since 1970.
    received : float
        `time.monotonic` when it was received.
    skipped : bool
        Whether its image was dropped because a newer one came first.
    """

    train_id: int
    data: TrainData
    stamp: float | None
    received: float
    skipped: bool = False


class Receiver:
    """Receive trains from a bridge in a thread, inside a ``with`` block.

    Parameters
    ----------
    endpoint : str
        ``tcp://HOST:PORT``.
    has_image : callable
        Takes the data of a train and returns whether they have an image.
    every_train : bool
        Make the server wait until each train is taken. Otherwise only the newest image is kept.
    keep : int
        Number of images that can wait before the oldest is dropped; a larger number helps if the
        processor is busy for a moment.
    socket : {'REQ', 'SUB', 'PULL'}
        Type of socket: for servers of type REP, PUB and PUSH.

    Raises
    ------
    ValueError
        If `endpoint` or `socket` is not valid.
    ImportError
        If karabo-bridge is not installed.

    Examples
    --------
    >>> with Receiver("tcp://127.0.0.1:45000", has_image=bool) as bridge:  # doctest: +SKIP
    ...     train = bridge.next(timeout=10)
    """

    def __init__(
        self,
        endpoint: str,
        *,
        has_image: Callable[[TrainData], bool],
        every_train: bool = False,
        keep: int = 1,
        socket: str = "REQ",
    ) -> None:
        require_endpoint(endpoint)
        if socket not in SOCKETS:
            raise ValueError(f"socket {socket!r}, expected one of {', '.join(SOCKETS)}.")
        self._deserialize = _deserializer()
        self._endpoint, self._socket_type = endpoint, socket
        self._has_image, self._every_train = has_image, every_train
        self._keep = whole_number("keep", keep)
        self._changed = threading.Condition()
        self._waiting: deque[Train] = deque()
        self._error: Exception | None = None
        self._connected = False
        self._stopping = False
        self.n_received = 0
        self.last_received = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="hrixs-bridge", daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout=5)

    @property
    def connected(self) -> bool:
        """Whether the server is connected."""
        return self._connected

    def next(self, timeout: float) -> Train | None:
        """Return the next train, or None if none came within `timeout` seconds.

        Raises
        ------
        ValueError
            If the server does not send trains.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._error, timeout)
            if self._waiting:
                self._changed.notify_all()
                return self._waiting.popleft()
            if self._error is not None:
                raise self._error
            return None

    def _run(self) -> None:
        import zmq

        context = zmq.Context()
        try:
            while not self._stopping:
                self._receive_until_gone(context)
                self._connected = False
                self._pause()
        except Exception as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            context.destroy(linger=0)

    def _receive_until_gone(self, context: Any) -> None:
        """Receive until the server is gone: a request that it did not answer is lost with it."""
        import zmq
        from zmq.utils.monitor import recv_monitor_message

        socket = context.socket(getattr(zmq, self._socket_type))
        socket.set_hwm(1)
        # If the machine or network of a server dies, the connection is not closed.
        for option, value in (("", 1), ("_IDLE", 10), ("_INTVL", 5), ("_CNT", 3)):
            socket.setsockopt(getattr(zmq, f"TCP_KEEPALIVE{option}"), value)
        if self._socket_type == "SUB":
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        socket.connect(self._endpoint)
        poller = zmq.Poller()
        poller.register(socket, zmq.POLLIN)
        poller.register(monitor, zmq.POLLIN)
        asked = gone = False
        while not self._stopping:
            if not self._has_room():
                self._pause()
                continue
            if self._socket_type == "REQ" and not asked and not gone:
                socket.send(b"next")
                asked = True
            events = dict(poller.poll(_POLL_MS))
            if monitor in events:
                gone = recv_monitor_message(monitor)["event"] == zmq.EVENT_DISCONNECTED
                self._connected = not gone
            if socket in events:
                self._deliver(*self._read(socket.recv_multipart(copy=False)))
                asked = False
            elif gone:
                break
        socket.disable_monitor()
        monitor.close(0)
        socket.close(0)

    def _read(self, message: Any) -> tuple[Any, Any]:
        try:
            data, meta = self._deserialize(message)
            return data, meta
        except Exception as error:
            raise ValueError(
                f"{self._endpoint} sent data that are not a train of a Karabo bridge "
                f"({type(error).__name__}: {error}). Check the port."
            ) from error

    def _has_room(self) -> bool:
        return not (self._every_train and self._waiting)

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait(_POLL_MS / 1000)

    def _deliver(self, data: TrainData, meta: TrainData) -> None:
        self.n_received += 1
        train_ids = [one["timestamp.tid"] for one in meta.values() if "timestamp.tid" in one]
        stamps = [one["timestamp"] for one in meta.values() if "timestamp" in one]
        train = Train(
            train_id=int(max(train_ids)) if train_ids else self.n_received,
            data=data if self._has_image(data) else _without_values(data),
            stamp=float(max(stamps)) if stamps else None,
            received=time.monotonic(),
        )
        self.last_received = train.received
        with self._changed:
            if train.data is data and not self._every_train:
                self._drop_older_images()
            self._waiting.append(train)
            self._changed.notify_all()

    def _drop_older_images(self) -> None:
        images = [
            k
            for k, older in enumerate(self._waiting)
            if not older.skipped and self._has_image(older.data)
        ]
        for k in images[: max(0, len(images) - self._keep + 1)]:
            self._waiting[k] = replace(self._waiting[k], data={}, skipped=True)


def _without_values(data: TrainData) -> TrainData:
    """Keep sources and keys only, so that waiting trains need no memory."""
    return {source: dict.fromkeys(values) for source, values in data.items()}


def _deserializer() -> Callable[[Any], tuple[Any, Any]]:
    try:
        from karabo_bridge import deserialize
    except ImportError as error:
        raise ImportError(
            "the package karabo-bridge is not installed. Type pip install karabo-bridge."
        ) from error
    read: Callable[[Any], tuple[Any, Any]] = deserialize
    return read
