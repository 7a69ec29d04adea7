"""Reads a definition many times, each time in a new process, and prints what it took as Markdown."""

import argparse
import atexit
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# Milliseconds and MiB that reading the published definition may take.
TARGETS = {".json": (100, 80), ".yaml": (150, 80)}


@dataclass
class Run:
    wall_ms: float
    cpu_ms: float
    peak_mib: float
    output: str


def main():
    options = arguments()
    go_first()
    file = options.file
    yaml = file.with_suffix(".yaml")
    files = [file] if yaml == file or not yaml.is_file() else [file, yaml]
    rows = []
    for one in files:
        kinds = ["hallpass"] if one.suffix == ".yaml" else ["hallpass", "openapiv3", "serde_json"]
        for kind in kinds:
            runs = measure([options.probe, kind, one], options.rounds)
            rows.append(row(kind, one, runs, findings=json.loads(runs[0].output).get("findings")))
        if options.redocly:
            command = [*options.redocly, "lint", "--extends=recommended", "--format=json"]
            command += ["--max-problems=100000", one]
            runs = measure(command, max(1, options.rounds // 4), may_fail=True)
            rows.append(row("redocly lint", one, runs, findings=problems(runs[0].output)))
    print(table(rows))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", type=Path, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--redocly", nargs=2, default=[])
    parser.add_argument("file", type=Path)
    return parser.parse_args()


def go_first():
    """Before other work on the machine for as long as it measures, where the system allows it."""
    autogroup = Path("/proc/self/autogroup")
    try:
        autogroup.write_text("-20")
    except OSError:
        return
    atexit.register(autogroup.write_text, "0")


def measure(command, rounds, may_fail=False):
    # The first one finds the disk's cache cold.
    return [run(command, may_fail) for _ in range(rounds + 1)][1:]


def run(command, may_fail):
    """One process, with what the kernel says of it when it is waited for."""
    environment = {
        **os.environ,
        "NO_COLOR": "1",
        "REDOCLY_TELEMETRY": "off",
        "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    }
    start = time.perf_counter()
    child = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if may_fail else None,
        env=environment,
    )
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0 and not may_fail:
        sys.exit(f"error: {command[0]} ended with {child.returncode}")
    return Run(
        wall_ms=wall * 1000,
        cpu_ms=(usage.ru_utime + usage.ru_stime) * 1000,
        peak_mib=usage.ru_maxrss / 1024,
        output=output.decode(),
    )


def problems(output):
    """How many redocly tells; a run that tells none did not read the definition."""
    try:
        return json.loads(output)["totals"]["errors"] + json.loads(output)["totals"]["warnings"]
    except (ValueError, KeyError):
        sys.exit(f"error: redocly did not say what it found: {output[:200]!r}")


def row(kind, file, runs, findings):
    wall, peak = median(one.wall_ms for one in runs), max(one.peak_mib for one in runs)
    verdict = ""
    if kind == "hallpass":
        limit_ms, limit_mib = TARGETS[file.suffix]
        verdict = f"≤ {limit_ms} ms: {met(wall <= limit_ms)}, ≤ {limit_mib} MiB: {met(peak <= limit_mib)}"
    return [
        {"hallpass": "Hallpass", "serde_json": "serde_json, values only"}.get(kind, kind),
        f"{file.suffix[1:].upper()}, {file.stat().st_size / 1e6:.1f} MB",
        f"{wall:,.0f}",
        f"{min(one.wall_ms for one in runs):,.0f}",
        f"{median(one.cpu_ms for one in runs):,.0f}",
        f"{peak:.0f}",
        "–" if findings is None else f"{findings:,}",
        verdict,
    ]


def met(is_met):
    return "met" if is_met else "**missed**"


def table(rows):
    head = ["What reads", "what", "ms, median", "ms, best", "CPU ms", "MiB at most", "findings", "target"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


main()
