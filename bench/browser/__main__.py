"""Opens the explorer and Swagger UI with the same definition in Chromium, and prints what it took."""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from chromium import Chromium
from pages import Explorer, SwaggerUi

# What the explorer's page may take, by the names of the rows.
TARGETS = {"usable": 300, "script": 120_000, "heap": 30, "nodes": 3_000, "refusals": 0, "foreign": 0}

ROWS = [
    ("usable", "usable tree after navigation, ms", "{:,.0f}"),
    ("script", "scripts, bytes", "{:,.0f}"),
    ("heap", "JavaScript heap, MB", "{:,.1f}"),
    ("nodes", "elements in the page", "{:,.0f}"),
    ("typing", "longest task while typing in the search, ms", "{:,.0f}"),
    ("event", "longest time from a key to its frame, ms", "{:,.0f}"),
    ("refusals", "refusals by the content policy", "{:,.0f}"),
    ("foreign", "requests to other places", "{:,.0f}"),
]


def main():
    options = arguments()
    definition = options.file.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        columns = [("Hallpass", Explorer(options.binary, folder, definition))]
        if options.peer:
            columns.append(("Swagger UI", SwaggerUi(options.peer, definition)))
        measured = []
        for name, page in columns:
            with page, Chromium(folder / name.replace(" ", "")) as browser:
                address = page.prepare(browser)
                rounds = [measure(browser, page, address) for _ in range(options.rounds + 1)]
                # The first round warms the browser up.
                measured.append((name, {key: median(one[key] for one in rounds[1:]) for key, *_ in ROWS}))
                print(f"{name}: {page.told}", file=sys.stderr)
    print(table(measured))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("file", type=Path)
    return parser.parse_args()


def measure(browser, page, address):
    browser.open(address, page.usable)
    found = browser.look()
    found |= browser.type_into(page.search, "volume snapshot")
    return found


def table(measured):
    lines = ["| What | " + " | ".join(name for name, _ in measured) + " | target |"]
    lines.append("| --- |" + " --- |" * (len(measured) + 1))
    for key, label, form in ROWS:
        cells = [form.format(values[key]) for _, values in measured]
        target = TARGETS.get(key)
        verdict = ""
        if target is not None:
            met = "met" if measured[0][1][key] <= target else "**missed**"
            verdict = f"≤ {target:,}: {met}"
        lines.append("| " + " | ".join([label, *cells, verdict]) + " |")
    return "\n".join(lines)


main()
