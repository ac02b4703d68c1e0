"""Prints what becomes of stores whose writer is killed, and of those whose files are damaged; mends none of them.

    python benchmarks/sound.py --peers VENV [--kills N] [--damages N] [STORE…]

VENV has the peers' packages, as benchmarks/peers.py makes it in WORK/venv. Every store gets the same vectors, texts and
batches, the same number of trials, and the same seed; `sound/stores.py` says how each is used. "naive" is what a script
does first, and shows that the trials can find something.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

TRIALS = Path(__file__).parent / "sound" / "trials.py"
OWN = ("semsearch", "naive")
STORES = (*OWN, "chroma", "lancedb", "txtai")


def outcomes(python: Path, store: str, kind: str, tries: int) -> dict[str, int]:
    """How often each thing happened, most often first."""
    command = [str(python), str(TRIALS), store, kind, str(tries)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def table(rows: dict[str, dict[str, int]]) -> Iterable[str]:
    """Lines of Markdown, a column an outcome."""
    names = list(dict.fromkeys(name for found in rows.values() for name in found))
    yield f"| store | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for store, found in rows.items():
        yield f"| {store} | {' | '.join(str(found.get(name, 0)) for name in names)} |"


def main() -> None:
    """Run all trials, and print a table for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="virtual environment with the peers; without it only ours")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--damages", type=int, default=2000)
    parser.add_argument("stores", nargs="*", choices=[*STORES, []], help="which ones; all if none is named")
    chosen = parser.parse_args()
    stores = chosen.stores or (STORES if chosen.peers else OWN)
    print(f"{date.today()}")
    for kind, tries in (("kill", chosen.kills), ("damage", chosen.damages)):
        rows = {}
        for store in stores:
            python = Path(sys.executable) if store in OWN else chosen.peers.absolute() / "bin" / "python"
            rows[store] = outcomes(python, store, kind, tries)
            print(f"{kind} {store}: {rows[store]}", file=sys.stderr, flush=True)
        print(f"\n{tries} times: {kind}\n", *table(rows), sep="\n", flush=True)


if __name__ == "__main__":
    main()
