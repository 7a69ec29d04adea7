"""The servers under test: how each is set up, started and asked for its first token."""

import base64
import http.client
import json
import shutil
import sqlite3
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from load import Broken, token_body
from process import Process

SETTINGS = Path(__file__).parent.parent / "hallpass.toml"

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Longest time that a server may take until it issues its first token.
START_SECONDS = 30


@dataclass
class Server:
    """A running one."""

    process: Process
    url: str
    start_ms: float
    first_token: str
    # Tokens that the load was answered with.
    answered: int = 0


class Hallpass:
    """A data directory of its own, with credentials in it."""

    ALGORITHMS = {"rsa-2048": "RS256", "ec-p256": "ES256"}

    def __init__(self, release, directory, kind, credentials):
        self._binary = release / "hallpass"
        self._directory = directory
        self._data = directory / "data"
        self.kind = kind
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        # The server refuses a data directory that others can look into.
        self._data.mkdir(mode=0o700)
        settings = f'{SETTINGS.read_text()}\n[keys]\nkind = "{kind}"\n'
        (self._data / "hallpass.toml").write_text(settings)
        owner = "bench@example.com"
        self._admin("user", "create", "--email", owner, "--role", "administrator")
        self.credentials = [
            self._admin(
                "credential", "create", "--owner", owner, "--instance", "us1", "--name", f"bench-{n}"
            )
            for n in range(credentials)
        ]

    def _admin(self, *arguments):
        command = [self._binary, "admin", *arguments, "--data", self._data, "--json"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            reason = done.stderr.strip().splitlines()[0]
            raise Broken(reason.replace(f"{self._data}/", ""))
        return json.loads(done.stdout)

    def bodies(self, count):
        """A file of token requests for wrk, of so many credentials."""
        file = self._directory / f"bodies-{count}"
        lines = [
            token_body(credential["clientId"], credential["clientSecret"])
            for credential in self.credentials[:count]
        ]
        file.write_text("\n".join(lines) + "\n")
        return file

    @contextmanager
    def running(self):
        began = time.perf_counter()
        addresses = self._directory / "addresses.json"
        addresses.unlink(missing_ok=True)
        command = [self._binary, "serve", "--data", self._data]
        command += ["--listen", "127.0.0.1:0", "--address-file", addresses]
        with Process(command, self._directory / "server.log") as process:
            # Written by rename once everything is ready.
            _wait(process, addresses.exists)
            url = json.loads(addresses.read_text())["tokenUrl"]
            credential = self.credentials[0]
            token = first_token(url, credential["clientId"], credential["clientSecret"])
            server = Server(process, url, _milliseconds_since(began), token)
            self._check_algorithm(token)
            yield server

    def _check_algorithm(self, token):
        header = json.loads(_decode(token.split(".")[0]))
        if header["alg"] != self.ALGORITHMS[self.kind]:
            raise Broken(f"tokens are signed with {header['alg']} although keys.kind says {self.kind}")

    def tokens_on_disk(self):
        """How many tokens the audit log counts, and how many places the watermarks have moved.
        To be asked when the server has ended."""
        database = next(self._data.glob("*.db"))
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            audited = connection.execute(
                "SELECT sum(count) FROM audit_event WHERE message LIKE 'Access token issued%'"
            ).fetchone()[0]
            places = connection.execute("SELECT sum(watermark) FROM credential").fetchone()[0]
        finally:
            connection.close()
        return audited, places


class OidcProvider:
    """npm's oidc-provider with its memory adapter."""

    CLIENT = ("bench", "0123456789abcdef0123456789abcdef")

    def __init__(self, directory):
        self._directory = directory

    def bodies(self):
        file = self._directory / "bodies"
        file.write_text(token_body(*self.CLIENT) + "\n")
        return file

    @contextmanager
    def running(self):
        began = time.perf_counter()
        node = self._directory / "node"
        command = ["env", "NODE_ENV=production", node, self._directory / "server.mjs", *self.CLIENT]
        log = self._directory / "server.log"
        with Process(command, log, stdout=subprocess.PIPE, text=True) as process:
            port = process.stdout.readline().strip()
            if not port:
                raise Broken(f"oidc-provider did not start; {log} says why")
            url = f"http://127.0.0.1:{port}/token"
            token = first_token(url, *self.CLIENT)
            yield Server(process, url, _milliseconds_since(began), token)


def first_token(url, client_id, client_secret):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=START_SECONDS)
    connection.request("POST", parts.path, token_body(client_id, client_secret), FORM)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status != 200:
        raise Broken(f"the first token request was answered {response.status}: {answer[:200]!r}")
    return json.loads(answer)["access_token"]


def token_id(token):
    return json.loads(_decode(token.split(".")[1]))["jti"]


def _decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _wait(process, is_ready):
    deadline = time.perf_counter() + START_SECONDS
    while not is_ready():
        if process.has_ended() or time.perf_counter() > deadline:
            raise Broken("the server did not start; server.log in its directory says why")
        time.sleep(0.0005)


def _milliseconds_since(began):
    return (time.perf_counter() - began) * 1000
