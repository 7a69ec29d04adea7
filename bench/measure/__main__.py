"""The benchmark, step by step; `bench/run` installs what it needs and calls it.

Words about what is going on go to stderr, the report to stdout and to `report.md` in the scratch
directory. Each server runs alone, pinned to one core; whatever asks it runs on the other.
"""

import argparse
import atexit
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import load
import refusals
import report
from load import Broken
from process import LOAD_CORE, SERVER_CORE
from servers import Hallpass, OidcProvider, first_token, token_id

CONNECTIONS = (1, 16, 64)

# So many credentials take turns where several do.
CREDENTIALS = 16

STARTS = 5


def main():
    options = _options()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    _take_precedence()
    options.scratch.mkdir(parents=True, exist_ok=True)
    findings = report.Findings(machine=_machine(), quick=options.quick)
    try:
        _measure(options, findings)
    except (Broken, subprocess.SubprocessError, OSError) as error:
        sys.exit(f"error: {error}")
    text = report.render(findings)
    (options.scratch / "report.md").write_text(text)
    print(text)


def _measure(options, findings):
    _say("Raw signatures, before")
    findings.raw.append(_raw(options))
    findings.openssl = _openssl(options)
    findings.fsync = _probe(options, "fsync", options.scratch)
    _measure_rsa(options, findings)
    _measure_ecdsa(options, findings)
    if not options.without_peer:
        _measure_peer(options, findings)
    _say("Raw signatures, after")
    findings.raw.append(_raw(options))


def _measure_rsa(options, findings):
    hallpass = Hallpass(options.release, options.scratch / "rsa", "rsa-2048", CREDENTIALS)
    findings.start_ms = _start_time(hallpass)
    with hallpass.running() as server:
        findings.memory["after its first token"] = server.process.memory_mib()
        _load(options, server, hallpass.bodies(1), "Hallpass RS256, one credential", findings)
        several = f"Hallpass RS256, {CREDENTIALS} credentials"
        _load(options, server, hallpass.bodies(CREDENTIALS), several, findings)
        _say(f"{options.tokens:,} tokens for the memory")
        load.issue(server, hallpass.bodies(CREDENTIALS), options.tokens)
        findings.memory[f"after {server.answered:,} tokens"] = server.process.memory_mib()
        _check_unique(server, hallpass.credentials[-1])
        _say("Wrong secret against unknown client")
        known = hallpass.credentials[0]["clientId"]
        findings.refusals = refusals.compare(server, known, options.tries)
        findings.tries = options.tries
        answered = server.answered
    _check_durable(hallpass, answered)
    findings.durable = answered


def _measure_ecdsa(options, findings):
    what = f"Hallpass ES256, {CREDENTIALS} credentials"
    hallpass = Hallpass(options.release, options.scratch / "ecdsa", "ec-p256", CREDENTIALS)
    with hallpass.running() as server:
        _load(options, server, hallpass.bodies(CREDENTIALS), what, findings, "ec-p256")
        answered = server.answered
    _check_durable(hallpass, answered)


def _measure_peer(options, findings):
    peer = OidcProvider(options.scratch / "peer")
    with peer.running() as server:
        findings.peer_start_ms = server.start_ms
        findings.peer_memory["after its first token"] = server.process.memory_mib()
        _load(options, server, peer.bodies(), "oidc-provider RS256, one client", findings)
        after = f"after {server.answered:,} tokens"
        findings.peer_memory[after] = server.process.memory_mib()


def _load(options, server, bodies, what, findings, kind="rsa-2048"):
    for connections in CONNECTIONS:
        _say(f"{what}, {connections} connections")
        result = load.measure(server, bodies, connections, options.warm_up, options.seconds)
        findings.rows.append(report.Row(what, kind, result))


def _start_time(hallpass):
    _say("Start to first token")
    times = []
    for _ in range(STARTS):
        with hallpass.running() as server:
            times.append(server.start_ms)
    return statistics.median(times)


def _check_unique(server, credential):
    """A server that answered one token twice would be fast."""
    count = 200
    pair = (credential["clientId"], credential["clientSecret"])
    seen = {token_id(first_token(server.url, *pair)) for _ in range(count)}
    server.answered += count
    if len(seen) != count:
        raise Broken(f"of {count} tokens only {len(seen)} are different")


def _check_durable(hallpass, answered):
    """Every token that was answered must be in the audit log and behind a watermark."""
    audited, places = hallpass.tokens_on_disk()
    if min(audited, places) < answered:
        raise Broken(
            f"{answered} tokens were answered, but the audit log counts {audited} "
            f"and the watermarks {places}"
        )


def _raw(options):
    return _probe(options, "signatures", "300" if options.quick else "1500")


def _probe(options, *arguments):
    command = ["taskset", "-c", SERVER_CORE, options.release / "hallpass-bench", *arguments]
    return json.loads(subprocess.check_output(command, stdin=subprocess.DEVNULL))


def _openssl(options):
    """Signatures per second by `openssl speed`, which counts its own CPU time too."""
    seconds = "1" if options.quick else "5"
    command = ["taskset", "-c", SERVER_CORE, "openssl", "speed", "-seconds", seconds]
    done = subprocess.run(
        [*command, "rsa2048", "ecdsap256"], capture_output=True, text=True, check=True
    )
    rows = {"rsa-2048": r"^rsa 2048 bits\s+.*", "ec-p256": r"^\s*256 bits ecdsa.*"}
    found = {kind: re.search(row, done.stdout, re.MULTILINE) for kind, row in rows.items()}
    # The last two columns are signatures and verifications per second.
    return {kind: float(row[0].split()[-2]) for kind, row in found.items() if row}


def _machine():
    """What decides the speed, and nothing that names the machine."""
    text = Path("/proc/cpuinfo").read_text()
    field = lambda name: re.search(rf"^{name}\s*:\s*(.*)$", text, re.MULTILINE)
    model, flags = field("model name"), field("flags")
    wanted = ("adx", "avx2", "bmi2", "avx512f", "avx512ifma", "sha_ni")
    have = set(flags[1].split()) if flags else set()
    features = " ".join(flag for flag in wanted if flag in have)
    name = model[1].strip() if model else "a CPU without a name"
    return f"{os.cpu_count()} cores, {name}; {features or 'no CPU features of interest'}"


def _take_precedence():
    """Puts this session before other work on the machine for as long as it measures, where the
    system lets it: the figures per CPU second hardly need that, the times do."""
    autogroup = Path("/proc/self/autogroup")
    try:
        autogroup.write_text("-20")
    except OSError:
        return
    atexit.register(autogroup.write_text, "0")


def _options():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a look, not a measurement")
    parser.add_argument(
        "--tokens", type=int, default=None, metavar="N",
        help="tokens issued between the two looks at the memory (200000; 20000 with --quick)",
    )  # fmt: skip
    parser.add_argument("--without-peer", action="store_true", help="leave oidc-provider out")
    parser.add_argument("--release", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.warm_up, options.seconds = (1, 2) if options.quick else (2, 10)
    options.tries = 1_000 if options.quick else 10_000
    if options.tokens is None:
        options.tokens = 20_000 if options.quick else 200_000
    return options


def _say(words):
    print(f"==> {words}", file=sys.stderr, flush=True)


main()
