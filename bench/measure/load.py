"""The load: wrk on the other core, over connections that stay open."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from process import LOAD_CORE

SCRIPT = Path(__file__).parent.parent / "load.lua"


class Broken(Exception):
    """The run is worth nothing: something but tokens was answered."""


@dataclass
class Result:
    connections: int
    answers: int
    seconds: float
    cpu_seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self):
        return self.answers / self.seconds

    @property
    def per_cpu_second(self):
        return self.answers / self.cpu_seconds


def token_body(client_id, client_secret):
    return (
        "grant_type=client_credentials"
        f"&client_id={client_id}&client_secret={client_secret}"
    )


def measure(server, bodies, connections, warm_up, seconds):
    """One row: warm up, then count answers and the CPU time that the server used for them."""
    _wrk(server, bodies, connections, warm_up)
    before = server.process.cpu_seconds()
    outcome = _wrk(server, bodies, connections, seconds)
    return Result(
        connections=connections,
        answers=outcome["answers"],
        seconds=outcome["seconds"],
        cpu_seconds=server.process.cpu_seconds() - before,
        p50_ms=outcome["p50_ms"],
        p99_ms=outcome["p99_ms"],
    )


def issue(server, bodies, tokens):
    """Has at least so many tokens issued, however long that takes."""
    target = server.answered + tokens
    while server.answered < target:
        _wrk(server, bodies, connections=16, seconds=10)


def _wrk(server, bodies, connections, seconds):
    """`bodies` is a file with one request body per line."""
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["--timeout", "10s", "-s", str(SCRIPT), server.url]
    done = subprocess.run(
        command,
        env={**os.environ, "BODIES": str(bodies)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    outcome = json.loads(done.stdout.splitlines()[-1])
    if outcome["refused"] or outcome["broken"]:
        raise Broken(
            f"{outcome['refused']} answers were no tokens and {outcome['broken']} did not come, "
            f"of {outcome['answers']}"
        )
    server.answered += outcome["answers"]
    return outcome
