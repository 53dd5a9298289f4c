"""Trusted certificates are read when a connection needs them, and then as the library itself reads them."""

from __future__ import annotations

import importlib.util
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from types import ModuleType

import anyio
import pytest
import trustme

from pytest_llmmock.core.model import json_reply
from pytest_llmmock.inbound.doors import Door
from pytest_llmmock.inbound.transport import MODULES
from pytest_llmmock.inbound.trust import Deferred

BACKENDS = ["asyncio", *(["trio"] if importlib.util.find_spec("trio") else [])]


@pytest.fixture(params=MODULES)
def library(request: pytest.FixtureRequest) -> ModuleType:
    return import_module(request.param)


@pytest.fixture
def door() -> Iterator[Door]:
    with Door(lambda method, host, path: host == "model.example", lambda request: json_reply({"ours": True})) as door:
        yield door


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """No certificates are named by the environment."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Where certificates were read from, each time."""
    places: list[object] = []
    original = ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, cafile: object = None, capath: object = None, cadata: object = None) -> None:
        places.append(cafile or capath)
        original(self, cafile, capath, cadata)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    return places


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us goes away in the middle of the handshake."""
        if not isinstance(sys.exception(), ssl.SSLError | ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def url(authority: trustme.CA) -> Iterator[str]:
    """A server on https whose certificate the authority has signed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Quiet(("127.0.0.1", 0), Hello) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    """A file with the certificate of the authority."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return file


def test_a_client_that_is_replayed_to_reads_no_certificates(library, door, read):
    with library.Client() as client:
        assert client.get("https://model.example/").json() == {"ours": True}
    assert read == []


@pytest.mark.usefixtures("door")
def test_a_connection_reads_what_the_environment_named_when_the_client_was_made(
    library, url, trusted, read, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with library.Client() as client:
        monkeypatch.delenv("SSL_CERT_FILE")
        assert client.get(url).text == "hello"
        assert client.get(url).text == "hello"
    assert read == [str(trusted)]


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("backend", BACKENDS)
def test_async_connections_too(library, url, trusted, backend, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    async def ask() -> str:
        async with library.AsyncClient() as client:
            return (await client.get(url)).text

    assert anyio.run(ask, backend=backend) == "hello"


@pytest.mark.usefixtures("door", "no_names")
def test_a_server_that_nobody_vouches_for_is_refused(library, url, read):
    with library.Client() as client, pytest.raises(library.ConnectError, match="certificate verify failed"):
        client.get(url)
    assert len(read) == 1


@pytest.mark.usefixtures("door", "no_names")
def test_what_the_environment_names_later_is_not_trusted(library, url, trusted, monkeypatch):
    with library.Client() as client:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with pytest.raises(library.ConnectError, match="certificate verify failed"):
            client.get(url)


@pytest.mark.usefixtures("door")
def test_a_client_that_does_not_look_at_the_environment_does_not_trust_what_it_names(
    library, url, trusted, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with library.Client(trust_env=False) as client, pytest.raises(library.ConnectError, match="verify failed"):
        client.get(url)


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_name_of_what_is_not_there_is_told_as_the_library_tells_it(library, name, no_names, tmp_path, monkeypatch):
    monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    create = library._transports.default.create_ssl_context
    outcome = _outcome(lambda: library.create_ssl_context(verify=True, cert=None, trust_env=True))
    assert _outcome(lambda: create(verify=True, cert=None, trust_env=True)) == outcome
    assert outcome is not Deferred


def _outcome(call):
    try:
        return type(call())
    except OSError as error:
        return str(error)


@pytest.mark.usefixtures("door")
def test_certificates_of_ones_own_are_read_at_once(library, url, trusted):
    own = ssl.create_default_context(cafile=trusted)
    with library.Client(verify=own) as client:
        assert client._transport._pool._ssl_context is own
        assert client.get(url).text == "hello"
    with library.Client(verify=False) as client:
        assert type(client._transport._pool._ssl_context) is ssl.SSLContext


@pytest.mark.usefixtures("door", "no_names")
def test_who_looks_at_the_context_sees_the_one_that_is_used(library):
    with library.Client() as client:
        context = client._transport._pool._ssl_context
        assert isinstance(context, ssl.SSLContext)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        assert context.minimum_version is ssl.TLSVersion.TLSv1_3
        assert context.cert_store_stats() == library.create_ssl_context().cert_store_stats()


@pytest.mark.usefixtures("no_names")
def test_the_context_is_made_once_whoever_needs_it_first(library):
    made: list[ssl.SSLContext] = []
    context = Deferred(lambda: made.append(ssl.create_default_context()) or made[-1])
    threads = [threading.Thread(target=lambda: context.options) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_behind_the_last_door_the_library_is_as_it_was(library):
    before = library._transports.default.create_ssl_context
    with Door(lambda method, host, path: False, lambda request: json_reply({})):
        assert library._transports.default.create_ssl_context is not before
    assert library._transports.default.create_ssl_context is before


def test_a_library_that_is_imported_behind_an_open_door_reads_nothing_either():
    program = (
        "import ssl, sys\n"
        "from pytest_llmmock.core.model import json_reply\n"
        "from pytest_llmmock.inbound.doors import Door\n"
        "ssl.SSLContext.load_verify_locations = lambda *args, **options: sys.exit('certificates were read')\n"
        "with Door(lambda method, host, path: True, lambda request: json_reply({})):\n"
        "    import httpx, httpx2\n"
        "    httpx.Client().close(), httpx2.Client().close()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
