"""Who is let in: whoever has the token, from an origin that was named, on this machine alone."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from conftest import RUN
from hrixs import hRIXS
from hrixs.cli.main import main
from hrixs.view import View
from hrixs.view.server import Serving, free_port, host_of

HUB = "https://hub.example.org"


@pytest.fixture
def served(h: hRIXS) -> Iterator[Serving]:
    view = View(h, RUN)
    made: list[Serving] = []
    is_made = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        made.append(view.serving(origins=[HUB], token="right"))
        made[0].server.start()
        is_made.set()
        made[0].server.io_loop.start()
        asyncio.get_event_loop().run_until_complete(made[0].server._http.close_all_connections())
        made[0].server.io_loop.close(all_fds=True)

    thread = threading.Thread(target=run)
    thread.start()
    assert is_made.wait(30)
    yield made[0]
    loop = made[0].server.io_loop
    loop.add_callback(made[0].server.stop)
    loop.add_callback(loop.stop)
    thread.join(30)


def answer(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=30) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_without_the_token_nothing_is_shown(served):
    base, _, _ = served.address.partition("?")
    status, page = answer(f"{base}?token=right")
    assert status == 200
    assert "hrixs view r0145" in page
    script = "autoload.js?bokeh-autoload-element=1"
    wrong = ("", "?token=", "?token=wrong", "?token=rightt", "?bokeh-session-id=1", "metadata")
    for path in (*wrong, script, f"{script}&token=wrong"):
        status, page = answer(base + path)
        assert status == 403, path
        assert "r0145" not in page


def test_addresses_that_were_not_named_are_refused(served):
    for host, status in (("hub.example.org", 200), ("elsewhere.example.org", 403)):
        request = urllib.request.Request(served.address, headers={"Host": host})
        if status == 200:
            urllib.request.urlopen(request, timeout=30).close()
            continue
        with pytest.raises(urllib.error.HTTPError, match="--origin http://elsewhere") as refused:
            urllib.request.urlopen(request, timeout=30)
        refused.value.close()


def test_all_that_a_page_names_is_on_this_machine(served):
    _, page = answer(served.address)
    page = re.sub(r"<script type=\"application/json\".*?</script>", "", page, flags=re.DOTALL)
    addresses = set(re.findall(r"(?:src|href)=\"([^\"]+)\"", page))
    assert addresses
    assert not [one for one in addresses if "//" in one.replace("http://127.0.0.1", "")]


@pytest.mark.parametrize(
    ("origin", "with_page", "origin_is_named"),
    [
        ("http://127.0.0.1:{port}", True, True),
        (HUB, True, True),
        ("https://elsewhere.example.org", True, False),
        ("http://127.0.0.1:1", True, False),
        ("http://127.0.0.1:{port}", False, True),
    ],
)
def test_connections_need_a_page_and_a_named_origin(served, origin, with_page, origin_is_named):
    port = served.server.port
    _, page = answer(served.address)
    (token,) = re.findall(r"\"token\":\"([^\"]+)\"", page)
    if not with_page:  # one that this server has not signed
        token = token[:-4] + "AAAA"

    async def connect() -> str:
        request = HTTPRequest(
            f"ws://127.0.0.1:{port}/ws", headers={"Origin": origin.format(port=port)}
        )
        connection = await websocket_connect(request, subprotocols=["bokeh", token])
        said = str(await asyncio.wait_for(connection.read_message(), 10))
        connection.close()
        while said != "None" and await connection.read_message() is not None:
            pass
        await asyncio.sleep(0.1)  # until the socket is closed
        return said

    with nullcontext() if origin_is_named else pytest.raises(HTTPClientError, match="403"):
        said = asyncio.run(connect())
        assert (said != "None") == with_page


def test_the_server_listens_to_this_machine_alone(served):
    port = served.server.port
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("the machine has no other address")
    with socket.socket() as one:
        one.settimeout(5)
        assert one.connect_ex((own, port)) != 0


def test_each_server_has_a_token_of_its_own(h):
    view = View(h, RUN)
    addresses = set()
    for _ in range(2):
        made = view.serving()
        addresses.add(made.address.partition("token=")[2])
        made.server.stop()
    assert len(addresses) == 2
    assert all(len(one) >= 32 for one in addresses)


@pytest.mark.parametrize("origin", ["*", "https://*", "", "https://*.example.org", "http://a@b"])
def test_origins_are_named_one_by_one(origin):
    with pytest.raises(ValueError, match="names no host"):
        host_of(origin)


def test_what_would_open_the_page_to_others_is_refused(h, monkeypatch):
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", "*")
    with pytest.raises(ValueError, match="unset BOKEH_ALLOW_WS_ORIGIN"):
        View(h, RUN).serving()


def test_the_command_says_what_is_wrong(capsys, tmp_path):
    assert main(["view", str(tmp_path / "r0001")]) == 1
    assert "r0001" in capsys.readouterr().err


def test_the_command_serves_with_the_settings_given(simulated, monkeypatch, capsys):
    asked: list[Serving] = []
    monkeypatch.setattr(Serving, "run", lambda self: asked.append(self) or self.server.stop())
    port = free_port()
    words = ["view", str(simulated.folder), "--y-range", "700:900", "--port", str(port)]
    assert main([*words, "--method", "resolve"]) == 0
    assert f"http://127.0.0.1:{port}/?token=" in capsys.readouterr().out
    assert len(asked) == 1
