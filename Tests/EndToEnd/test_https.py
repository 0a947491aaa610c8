"""Requests over TLS: only to those whose certificate an authority vouches for."""
import datetime
import http.server
import ipaddress
import json
import ssl
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from moto_server import environment


def certificate(folder, name, address="127.0.0.1"):
    """A key and a certificate for an address that vouches for itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256()))
    path = folder / f"{name}.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return str(path)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"ReservedConcurrentExecutions": 50}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def secure(tmp_path):
    """A server with TLS: its port and the file with its certificate."""
    path = certificate(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, path
    server.shutdown()
    thread.join()
    server.server_close()


def reserved(kelvin, port, folder, **variables):
    return subprocess.run(
        [kelvin, "reserved", "--function", "orders", "--endpoint-url", f"https://127.0.0.1:{port}"], cwd=folder,
        timeout=60, capture_output=True, text=True, env=environment(**variables))


def test_a_certificate_of_a_known_authority_is_taken(kelvin, secure, tmp_path):
    port, path = secure
    result = reserved(kelvin, port, tmp_path, AWS_CA_BUNDLE=path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "orders: reserved 50\n", "")


def test_no_other_certificate_is_taken(kelvin, secure, tmp_path):
    port, _ = secure
    for variables in ({}, {"AWS_CA_BUNDLE": certificate(tmp_path, "other")}):
        result = reserved(kelvin, port, tmp_path, **variables)
        assert (result.returncode, result.stdout) == (69, "")
        assert f"https://127.0.0.1:{port} cannot be reached over TLS" in result.stderr, result.stderr


def test_a_missing_file_of_authorities_is_a_failure(kelvin, secure, tmp_path):
    result = reserved(kelvin, secure[0], tmp_path, AWS_CA_BUNDLE=str(tmp_path / "missing.pem"))
    assert result.returncode != 0
    assert result.stdout == ""
