"""An agent that asks for credentials, and speaks TLS: who is answered, who is not, and what is never shown."""
import base64
import os
import socket
import ssl
import subprocess

import pytest

from kelvin_host import kelvin_binary, poll, request
from test_https import certificate

READER, SENDER = "reader-0123456789", "sender-0123456789"
# Commas separate values of other header fields.
ODD = "odd,token:with=all/0123"
# Of "right", at a cost of 4.
HASH = "$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC"


def tokens(folder, text=f"prometheus read {READER}\nfunctions ingest {SENDER}\nodd read {ODD}\n"):
    path = folder / "tokens"
    path.write_text(text)
    path.chmod(0o600)
    return path


class Agent:
    """`kelvin agent` with these lines in the section agent."""

    def __init__(self, folder, lines, listen="127.0.0.1:0"):
        self.folder = folder
        file = folder / "kelvin.yaml"
        file.write_text(f"agent:\n  listen: {listen}\n  dataDirectory: {folder}/data\n" + "".join(f"  {line}\n" for line in lines))
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [str(kelvin_binary()), "agent", "--config", str(file)], stderr=self.log, stdout=subprocess.DEVNULL, cwd=folder)
        self.address = poll(self.listening, 30, lambda: f"the agent says where it is: {self.said()}")

    def said(self):
        return (self.folder / "log").read_text()

    def listening(self):
        for line in self.said().splitlines():
            if line.strip().startswith("metrics "):
                return line.split("//")[1].split("/")[0].replace("0.0.0.0", "127.0.0.1")
        assert self.process.poll() is None, self.said()
        return None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.log.close()


@pytest.fixture
def agents(kelvin, tmp_path):
    made = []

    def make(lines, **settings):
        made.append(Agent(tmp_path, lines, **settings))
        return made[-1]

    yield make
    for agent in made:
        agent.stop()


def get(agent, path="/metrics", token=None, **headers):
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return request(agent.address, "GET", path, headers=headers)


def test_tokens_open_what_their_roles_say(agents, tmp_path):
    agent = agents([f"tokenFile: {tokens(tmp_path)}"])
    assert get(agent).status == 401
    answer = get(agent)
    challenges = [value for name, value in answer.headers.items() if name.lower() == "www-authenticate"]
    assert any("Basic" in value for value in challenges) or "Bearer" in str(challenges)
    assert "tokenFile" in answer.body.decode()
    assert get(agent, token="wrong-0123456789").status == 401
    assert get(agent, token=READER).status == 200
    assert get(agent, token=ODD).status == 200
    assert get(agent, token=SENDER).status == 403
    basic = base64.b64encode(f"anyone:{READER}".encode()).decode()
    assert request(agent.address, "GET", "/", headers={"Authorization": f"Basic {basic}"}).status == 200
    for open_path in ["/-/healthy", "/-/ready"]:
        assert get(agent, open_path).status == 200
    text = get(agent, token=READER).body.decode()
    assert 'kelvin_http_refused_total{listener="agent",reason="credentials"}' in text
    for secret in [READER, SENDER, "wrong-0123456789"]:
        assert secret not in agent.said() and secret not in text


def test_a_body_is_not_read_of_a_stranger(agents, tmp_path):
    agent = agents([f"tokenFile: {tokens(tmp_path)}"])
    host, port = agent.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n")
        # Not one byte of the body was sent.
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_the_file_of_tokens_is_read_again(agents, tmp_path):
    path = tokens(tmp_path)
    agent = agents([f"tokenFile: {path}"])
    assert get(agent, token=READER).status == 200
    tokens(tmp_path, f"new read {READER[::-1]}\n")
    poll(lambda: get(agent, token=READER[::-1]).status == 200, 20, "the new token opens")
    assert get(agent, token=READER).status == 401
    tokens(tmp_path, "nonsense\n")
    poll(lambda: get(agent, token=READER[::-1]) and "line 1" in agent.said(), 20, "the problem is told")
    assert get(agent, token=READER[::-1]).status == 200, "what was read before stays in force"


def test_commands_send_the_token_of_their_file(agents, kelvin, tmp_path):
    agent = agents([f"tokenFile: {tokens(tmp_path)}"])
    run = lambda **variables: subprocess.run(
        [str(kelvin), "metrics", "lambda", "--agent", f"http://{agent.address}"], capture_output=True, text=True,
        env=os.environ | variables, cwd="/")
    refused = run()
    assert refused.returncode == 1 and "KELVIN_TOKEN_FILE" in refused.stderr
    own = tmp_path / "own"
    own.write_text(READER + "\n")
    assert run(KELVIN_TOKEN_FILE=str(own)).returncode == 0
    own.write_text("")
    empty = run(KELVIN_TOKEN_FILE=str(own))
    assert empty.returncode == 64 and "is empty" in empty.stderr


def test_tls_and_users_by_prometheus_file(agents, kelvin, tmp_path):
    path = certificate(tmp_path, "server")
    web = tmp_path / "web.yml"
    web.write_text(
        f"tls_server_config:\n  cert_file: server.pem\n  key_file: server.pem\nbasic_auth_users:\n  ann: {HASH}\n")
    agent = agents([f"webConfigFile: {web}"])
    assert "https://" in agent.said()

    def curl(*arguments):
        done = subprocess.run(
            ["curl", "-sS", "--cacert", path, "-o", "-", "-w", "\n%{http_code}", *arguments, f"https://{agent.address}/metrics"],
            capture_output=True, text=True, timeout=60)
        return done.stdout.rsplit("\n", 1)[-1], done
    assert curl()[0] == "401"
    assert curl("-u", "ann:wrong")[0] == "401"
    assert curl("-u", "ann:right")[0] == "200"
    assert curl("-u", "ann:right", "--tls-max", "1.2")[0] == "200"
    assert curl("-u", "ann:right", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")[1].returncode != 0
    assert "kelvin_build_info" in curl("-u", "ann:right", "--http1.1")[1].stdout
    # Plain HTTP is no TLS: the connection is closed, and the listener lives.
    with socket.create_connection(tuple(agent.address.split(":")), timeout=10) as plain:
        plain.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" not in plain.recv(4096)
    assert curl("-u", "ann:right")[0] == "200"
    text = curl("-u", "ann:right")[1].stdout
    assert 'reason="tls-handshake"} 2' in text or 'reason="tls-handshake"} 1' in text
    command = subprocess.run(
        [str(kelvin), "metrics", "lambda", "--agent", f"https://{agent.address}"], capture_output=True, text=True, cwd="/")
    assert command.returncode != 0 and "TLS" in command.stderr
    assert "right" not in agent.said()


def test_certificates_of_clients_and_their_renewal(agents, tmp_path):
    server, client = certificate(tmp_path, "server"), certificate(tmp_path, "client")
    stranger = certificate(tmp_path, "stranger")
    web = tmp_path / "web.yml"
    web.write_text(
        "tls_server_config:\n  cert_file: server.pem\n  key_file: server.pem\n"
        "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client.pem\n")
    agent = agents([f"webConfigFile: {web}"], listen="0.0.0.0:0")

    def answer(own, trusted):
        context = ssl.create_default_context(cafile=trusted)
        if own:
            context.load_cert_chain(own)
        host, port = agent.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                connection.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                data = b""
                while chunk := connection.recv(4096):
                    data += chunk
                return data
    assert answer(client, server).startswith(b"HTTP/1.1 200 ")
    for own in [None, stranger]:
        with pytest.raises((ssl.SSLError, OSError)):
            assert answer(own, server) == b"never"
            raise ssl.SSLError("the connection was closed without an answer")
    renewed = tmp_path / "renewed"
    renewed.mkdir()
    other = certificate(renewed, "server")
    os.replace(other, server)

    def is_renewed():
        try:
            return answer(client, server).startswith(b"HTTP/1.1 200 ")
        except ssl.SSLError:
            return False
    poll(is_renewed, 20, "new connections get the new certificate")


@pytest.mark.parametrize("web, words", [
    (None, "tokenFile"),
    ("basic_auth_users: {}\n", "asks for no credentials"),
    ("basic_auth_users: {ann: plain}\n", "htpasswd"),
    ("tls_server_config: {cert_file: none.pem, key_file: none.pem}\n", "No such file"),
])
def test_a_listener_for_others_needs_credentials(kelvin, tmp_path, web, words):
    file = tmp_path / "kelvin.yaml"
    lines = f"agent:\n  listen: 0.0.0.0:0\n  dataDirectory: {tmp_path}/data\n"
    if web is not None:
        (tmp_path / "web.yml").write_text(web)
        lines += "  webConfigFile: web.yml\n"
    file.write_text(lines)
    done = subprocess.run([str(kelvin), "agent", "--config", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 64, 78), done.stderr
    assert words in done.stderr


def test_too_many_requests_of_one_sender(agents, tmp_path):
    agent = agents([f"tokenFile: {tokens(tmp_path)}", "requestsPerSecond: 5"])
    answers = [get(agent, token=READER) for _ in range(40)]
    assert {answer.status for answer in answers} == {200, 429}
    limited = next(answer for answer in answers if answer.status == 429)
    assert limited.headers["Retry-After"] == "1"
    poll(lambda: get(agent, token=READER).status == 200, 20, "it is answered again")
