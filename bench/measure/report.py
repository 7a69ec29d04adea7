"""What was found, as Markdown: ratios first, since only they can be compared between machines."""

from dataclasses import dataclass, field
from statistics import mean

from load import Result


@dataclass
class Row:
    what: str
    kind: str
    result: Result


@dataclass
class Findings:
    machine: str
    quick: bool
    # Raw signatures per second of CPU time by kind of key, before and after.
    raw: list = field(default_factory=list)
    openssl: dict = field(default_factory=dict)
    fsync: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)
    start_ms: float = 0
    peer_start_ms: float | None = None
    # (now, most ever) in MiB, by when.
    memory: dict = field(default_factory=dict)
    peer_memory: dict = field(default_factory=dict)
    refusals: dict = field(default_factory=dict)
    tries: int = 0
    durable: int = 0

    def raw_rate(self, kind):
        return mean(rates[kind] for rates in self.raw)


def render(findings):
    parts = [
        f"Machine: {findings.machine}.",
        _limits(findings),
        _tokens(findings),
        _rest(findings),
    ]
    if findings.quick:
        parts.insert(0, "**A quick look: too short for figures to quote.**")
    return "\n\n".join(parts) + "\n"


def _limits(findings):
    rows = [
        [
            name,
            _number(findings.raw[0][kind]),
            _number(findings.raw[-1][kind]),
            _number(findings.openssl[kind]) if kind in findings.openssl else "–",
        ]
        for kind, name in {"rsa-2048": "RSA-2048", "ec-p256": "ECDSA P-256"}.items()
    ]
    fsync = findings.fsync
    return (
        _table(["Raw signatures per CPU second", "before", "after", "openssl speed"], rows)
        + f"\n\nfsync of the data directory's disk: median {fsync['median_ms']:.2f} ms, "
        f"p99 {fsync['p99_ms']:.2f} ms."
    )


def _tokens(findings):
    head = ["Tokens", "conn.", "tokens/s", "per CPU s", "of raw", "p50 ms", "p99 ms", "target"]
    return _table(head, [_token_row(findings, row) for row in findings.rows])


def _token_row(findings, row):
    result = row.result
    ratio = result.per_cpu_second / findings.raw_rate(row.kind)
    return [
        row.what,
        str(result.connections),
        _number(result.per_second),
        _number(result.per_cpu_second),
        f"{ratio:.2f}",
        f"{result.p50_ms:.2f}",
        f"{result.p99_ms:.2f}",
        _verdicts(row, ratio),
    ]


def _verdicts(row, ratio):
    """The targets of the project for this row, each with whether it was met."""
    result = row.result
    targets = {
        ("RS256", 16): [("of raw ≥ 0.90", ratio >= 0.9), ("p99 ≤ 10 ms", result.p99_ms <= 10)],
        ("RS256", 64): [("p99 ≤ 35 ms", result.p99_ms <= 35)],
        ("ES256", 64): [("≥ 20,000/s", result.per_second >= 20_000)],
    }
    if not row.what.startswith("Hallpass"):
        return ""
    algorithm = "RS256" if row.kind == "rsa-2048" else "ES256"
    return _judged(targets.get((algorithm, result.connections), []))


def _rest(findings):
    rows = [["Start to first token", f"{findings.start_ms:.0f} ms", _start_verdict(findings)]]
    for when, (now, most) in findings.memory.items():
        rows.append([f"Memory {when}", _mib(now, most), _judged([("≤ 25 MiB", now <= 25)])])
    rows += _refusals(findings)
    rows.append(["Tokens answered, all found on disk", f"{findings.durable:,}", ""])
    if findings.peer_start_ms is not None:
        rows.append(["oidc-provider: start to first token", f"{findings.peer_start_ms:.0f} ms", ""])
    for when, (now, most) in findings.peer_memory.items():
        rows.append([f"oidc-provider: memory {when}", _mib(now, most), ""])
    return _table(["What else", "found", "target"], rows)


def _start_verdict(findings):
    return _judged([("≤ 100 ms", findings.start_ms <= 100)])


def _refusals(findings):
    wrong, unknown = findings.refusals["wrong secret"], findings.refusals["unknown client"]
    apart = abs(wrong - unknown) / min(wrong, unknown)
    return [
        [f"Wrong secret, median of {findings.tries:,}", f"{wrong:.0f} µs", ""],
        [f"Unknown client, median of {findings.tries:,}", f"{unknown:.0f} µs", ""],
        ["Apart", f"{apart:.1%}", _judged([("≤ 5 %", apart <= 0.05)])],
    ]


def _judged(targets):
    return ", ".join(f"{words}: {'met' if met else '**missed**'}" for words, met in targets)


def _mib(now, most):
    return f"{now:.1f} MiB (at most {most:.1f})"


def _number(value):
    return f"{value:,.0f}"


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
