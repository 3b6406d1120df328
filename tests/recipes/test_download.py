"""Downloads from a server on this machine, over TLS with a certificate made for the test."""

import hashlib
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from zhuyi.recipes.datasets import Official
from zhuyi.recipes.download import Refused, download_file

pytest.importorskip("pooch")

BODY = b"0123456789" * 100


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        port = self.connection.getsockname()[1]
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{port}/file")
            self.end_headers()
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.end_headers()
        elif self.path == "/absent":
            self.send_error(404)
        else:
            self.send_response(200)
            announced = {"/cut": 5000, "/huge": 10**12}.get(self.path, len(BODY))
            if self.path != "/silent":
                self.send_header("Content-Length", str(announced))
            self.end_headers()
            self.wfile.write(BODY * (200 if self.path == "/silent" else 1))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate to serve https with")
    both = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", str(both.with_suffix(".key")), "-out", str(both)]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return both


@pytest.fixture
def server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield f"https://localhost:{httpd.server_address[1]}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def official(address: str, *, limit: int = 10_000) -> Official:
    return Official(file="file.bin", address=address, limit=limit)


def test_a_whole_file_arrives(
    server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, int]] = []
    path = download_file(
        official(f"{server}/moved"),
        tmp_path / "made",
        sha256=hashlib.sha256(BODY).hexdigest(),
        progress=lambda come, total: seen.append((come, total)),
    )
    assert path.read_bytes() == BODY
    assert seen[-1] == (1000, 1000)
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", ""), "only the ui may print"


REFUSALS = {
    "/away": (10_000, "leads away from https"),
    "/absent": (10_000, "answered 404"),
    "/cut": (10_000, "broke off"),
    "/huge": (10_000, "announces 1,000,000,000,000 bytes"),
    "/silent": (10_000, "more than 10,000 bytes came"),
}


@pytest.mark.parametrize("path", REFUSALS)
def test_a_bad_download_leaves_nothing(server: str, tmp_path: Path, path: str) -> None:
    limit, why = REFUSALS[path]
    with pytest.raises(Refused, match=why):
        download_file(official(server + path, limit=limit), tmp_path, sha256=None)
    assert list(tmp_path.iterdir()) == []


def test_another_checksum_leaves_nothing(server: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="another checksum"):
        download_file(official(f"{server}/file"), tmp_path, sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_nobody_there_says_no_connection(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no connection to https://localhost:1/x"):
        download_file(official("https://localhost:1/x"), tmp_path, sha256=None)


@pytest.mark.parametrize("address", ["http://localhost/x", "ftp://localhost/x", "file:///etc/x"])
def test_only_https_is_asked(tmp_path: Path, address: str) -> None:
    with pytest.raises(Refused, match="not https"):
        download_file(official(address), tmp_path, sha256=None)
