"""Proxies and certificates of the environment: they are taken as httpx takes them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_llmmock.core.model import Reply, Request
from pytest_llmmock.errors import UpstreamError
from pytest_llmmock.upstreams.http import Network

PATIENCE = 10
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Answering(BaseHTTPRequestHandler):
    """Says what it was asked, as it stood in the request's first line."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        said = self.path.encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_CONNECT(self) -> None:
        """A tunnel, as a proxy makes it."""
        self.server.tunnels.append(self.path)  # type: ignore[attr-defined]
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), PATIENCE) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pass_on, args=(there, self.connection))
            back.start()
            _pass_on(self.connection, there)
            back.join()
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Nothing is printed."""


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.tunnels = []  # type: ignore[attr-defined]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *asked: None  # type: ignore[method-assign]  # a client that trusts nobody hangs up
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path):
    """Signs certificates that nobody else trusts; and the file that says so."""
    trustme = pytest.importorskip("trustme", reason="trustme is not there")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    return authority


@pytest.fixture
def tls(authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def ask(origin: str) -> Reply:
    with closing(Network()) as network:
        return network.send(Request("GET", origin, "/v1/models"))


# --- certificates ---------------------------------------------------------------------------------------


def test_an_authority_of_ones_own_is_trusted_by_its_file(tls, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with serving(tls) as server:
        assert ask(f"https://localhost:{server.server_port}").body == b"/v1/models"


def test_a_certificate_that_nobody_trusts_is_told_with_what_to_set(tls):
    with serving(tls) as server, pytest.raises(UpstreamError) as caught:
        ask(origin := f"https://localhost:{server.server_port}")
    told = str(caught.value)
    assert told.startswith(f"The upstream {origin} was not asked GET /v1/models: its certificate is not trusted (")
    assert told.endswith("If a gateway or a proxy has one of its own, SSL_CERT_FILE names its authority's file.")


def test_a_file_that_is_not_there_is_told_by_its_variable(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authority.pem")
    with pytest.raises(UpstreamError) as caught:
        ask("https://localhost:9")
    assert "proxies and certificates of the environment" in str(caught.value)
    assert str(caught.value).endswith("Look at SSL_CERT_FILE. Nothing was asked.")


# --- proxies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_is_asked_in_place_of_the_upstream(monkeypatch, variable):
    with serving() as proxy:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.server_port}")
        assert ask("http://upstream.example").body == b"http://upstream.example/v1/models"


def test_through_a_proxy_an_upstream_with_a_certificate_is_asked_in_a_tunnel(tls, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with serving(tls) as server, serving() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        assert ask(f"https://localhost:{server.server_port}").body == b"/v1/models"
        assert proxy.tunnels == [f"localhost:{server.server_port}"]


def test_what_is_to_be_asked_without_a_proxy_is(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as server:
        assert ask(f"http://127.0.0.1:{server.server_port}").body == b"/v1/models"


def test_a_proxy_that_is_none_is_told_by_its_variable_and_without_its_password(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:secret-of-the-proxy@proxy.example")
    with pytest.raises(UpstreamError) as caught:
        ask("https://upstream.example")
    assert str(caught.value).endswith("Look at HTTPS_PROXY. Nothing was asked.")
    assert "secret-of-the-proxy" not in str(caught.value)
