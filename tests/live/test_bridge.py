"""Trains from the bridge's own server, in a thread on this machine."""

import socket
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from hrixs.live.bridge import Receiver
from hrixs.live.trains import TrainReader

pytest.importorskip("karabo_bridge")
from karabo_bridge import ServerInThread

SOURCE, KEY = "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput", "data.image.pixels"
ANY_PORT = "tcp://127.0.0.1:*"
PATIENCE = 5.0


@contextmanager
def served(endpoint=ANY_PORT, **options):
    with ServerInThread(endpoint, **options) as server:
        yield server


def received(server_or_endpoint, **options) -> Receiver:
    endpoint = getattr(server_or_endpoint, "endpoint", server_or_endpoint)
    return Receiver(endpoint, has_image=TrainReader("MaranaX").has_image, **options)


def feed(server, *train_ids, image=True, stamp=1.8e9) -> None:
    for train_id in train_ids:
        data = {
            SOURCE: {KEY: np.full((8, 8), train_id, np.uint16)} if image else {},
            "A/B": {"v": 1},
        }
        meta = {"timestamp.tid": train_id, "timestamp": stamp}
        server.feed(data, {source: meta for source in data}, timeout=PATIENCE)


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it has taken too long"
        time.sleep(0.005)


def test_a_train_as_it_was_sent():
    with served() as server, received(server) as bridge:
        feed(server, 7)
        train = bridge.next(PATIENCE)
        assert bridge.connected
    assert (train.train_id, train.stamp, train.skipped) == (7, 1.8e9, False)
    assert train.data["A/B"] == {"v": 1}
    np.testing.assert_array_equal(train.data[SOURCE][KEY], np.full((8, 8), 7))


def test_the_newest_image_is_taken_and_the_others_are_told():
    with served() as server, received(server) as bridge:
        feed(server, 1, 2)
        feed(server, 3, image=False)
        feed(server, 4)
        until(lambda: bridge.n_received == 4)
        trains = [bridge.next(0) for _ in range(4)]
        assert bridge.next(0) is None
    assert [t.train_id for t in trains] == [1, 2, 3, 4]
    assert [t.skipped for t in trains] == [True, True, False, False]
    assert trains[2].data == {SOURCE: {}, "A/B": {"v": None}}
    assert trains[3].data[SOURCE][KEY][0, 0] == 4


def test_a_few_images_may_wait_and_the_oldest_are_dropped():
    with served() as server, received(server, keep=2) as bridge:
        feed(server, 1, 2, 3, 4)
        until(lambda: bridge.n_received == 4)
        trains = [bridge.next(0) for _ in range(4)]
    assert [t.skipped for t in trains] == [True, True, False, False]
    assert trains[2].data[SOURCE][KEY][0, 0] == 3


def test_every_train_makes_the_server_wait():
    with served(maxlen=2) as server, received(server, every_train=True) as bridge:
        feed(server, 1, 2, 3)
        until(lambda: bridge.n_received == 1)
        time.sleep(0.1)
        assert bridge.n_received == 1
        trains = [bridge.next(PATIENCE) for _ in range(3)]
    assert [(t.train_id, t.skipped) for t in trains] == [(1, False), (2, False), (3, False)]


def test_a_server_that_comes_again():
    server = ServerInThread(ANY_PORT)
    server.start()
    with received(server) as bridge:
        feed(server, 1)
        assert bridge.next(PATIENCE).train_id == 1
        time.sleep(0.1)  # the request for the next train goes down with the server
        endpoint = server.endpoint
        server.stop()
        until(lambda: not bridge.connected)
        assert bridge.next(0.05) is None
        with served(endpoint) as again:
            feed(again, 2)
            assert bridge.next(PATIENCE).train_id == 2
            assert bridge.connected


@pytest.mark.parametrize(("theirs", "ours"), [("PUB", "SUB"), ("PUSH", "PULL")])
def test_other_kinds_of_server(theirs, ours):
    with served(sock=theirs) as server, received(server, socket=ours, every_train=True) as bridge:
        until(lambda: bridge.connected)
        time.sleep(0.1)  # a subscription is on its way
        for train_id in (1, 2):
            feed(server, train_id)
            assert bridge.next(PATIENCE).train_id == train_id


def test_the_old_protocol_and_trains_without_an_id():
    with served(protocol_version="1.0") as server, received(server, every_train=True) as bridge:
        feed(server, 5)
        assert bridge.next(PATIENCE).train_id == 5
        server.feed({SOURCE: {KEY: np.ones((8, 8))}}, {SOURCE: {}})
        train = bridge.next(PATIENCE)
    assert (train.train_id, train.stamp) == (2, None)


def test_something_else_than_trains():
    zmq = pytest.importorskip("zmq")
    with zmq.Context() as context, context.socket(zmq.REP) as other:
        other.linger = 0
        port = other.bind_to_random_port("tcp://127.0.0.1")
        with received(f"tcp://127.0.0.1:{port}") as bridge:
            assert other.poll(PATIENCE * 1000)
            other.recv()
            other.send(b"hello")
            with pytest.raises(ValueError, match="sent data that are not a train"):
                bridge.next(PATIENCE)


def test_nobody_there_and_a_port_of_another_kind():
    other = socket.create_server(("127.0.0.1", 0))
    with other, received(f"tcp://127.0.0.1:{other.getsockname()[1]}") as bridge:
        assert bridge.next(0.2) is None
        assert not bridge.connected


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:45000", "tcp://127.0.0.1", "tcp://*:1", "45000", "tcp://h:123456"]
)
def test_wrong_endpoint(endpoint):
    with pytest.raises(ValueError, match=r"expected tcp://HOST:PORT, for example"):
        received(endpoint)


def test_wrong_socket():
    with pytest.raises(ValueError, match="expected one of REQ, SUB, PULL"):
        received("tcp://127.0.0.1:45000", socket="REP")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "karabo_bridge", None)
    with pytest.raises(ImportError, match="pip install karabo-bridge"):
        received("tcp://127.0.0.1:45000")
