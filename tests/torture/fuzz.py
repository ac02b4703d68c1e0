"""Feeds arbitrary bytes, guided by coverage, to what reads people's input; what must hold stands in `promises.py`.

    python -m tests.torture.fuzz --seconds 500 html markdown

It needs Atheris. `tests/test_fuzz.py` does the same in small, and with every finding of the past.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent.parent
LONGEST = 4096
"""Bytes of an input."""
SLOW = 10
"""Seconds after which so short an input is a finding."""
NAMES = ["query", "front_matter", "html", "markdown", "text", "mail", "split", "card"]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--seconds", default=500, help="For each target.")
@click.option("--kept", type=click.Path(path_type=Path), help="Folder for the inputs that were worth keeping.")
@click.option("--inside", is_flag=True, hidden=True)
def main(names: tuple[str, ...], seconds: int, kept: Path | None, *, inside: bool) -> None:
    """Fuzz these targets, or all, one after the other; the exit status is 1 if one broke its promise."""
    kept = (kept or Path(tempfile.mkdtemp(prefix="fuzz-"))).absolute()
    if inside:
        fuzz(names[0], seconds, kept)
        return
    broken = [name for name in names or NAMES if not campaign(name, seconds, kept)]
    sys.exit(bool(broken))


def campaign(name: str, seconds: int, kept: Path) -> bool:
    """Fuzz one target in a process of its own, say what came of it, and whether nothing was found."""
    command = [sys.executable, "-m", "tests.torture.fuzz", name, "--inside", "--seconds", str(seconds)]
    begun = time.monotonic()
    run = subprocess.run([*command, "--kept", str(kept)], cwd=ROOT, stderr=subprocess.PIPE, check=False)
    said = run.stderr.decode(errors="replace")
    counted = [line.split()[-1] for line in said.splitlines() if line.startswith("stat::number_of_executed_units")]
    took = time.monotonic() - begun
    click.echo(f"{name}: {counted[0] if counted else '?'} inputs in {took:.0f} s, exit status {run.returncode}")
    if run.returncode:
        click.echo(said[-4000:])
    return run.returncode == 0


def fuzz(name: str, seconds: int, kept: Path) -> None:
    """Fuzz one target in this process, which ends with it; a finding is left as a file beside the inputs."""
    import atheris

    with atheris.instrument_imports(include=["semsearch", "tomllib"], enable_loader_override=False):
        from semsearch.read import html, mail, markdown, text  # noqa: F401 - readers are imported when first met
        from tests.torture import promises

    inputs = kept / name
    inputs.mkdir(parents=True, exist_ok=True)
    words = kept / f"{name}.words"
    listed = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in promises.WORDS.get(name, []))
    words.write_text("".join(f'"{word}"\n' for word in listed))
    settings = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": SLOW,
        "rss_limit_mb": 2000,
        "dict": words,
        "artifact_prefix": f"{kept}/{name}-",
        "print_final_stats": 1,
    }
    options = [f"-{option}={value}" for option, value in settings.items()]
    atheris.Setup([sys.argv[0], *options, str(inputs)], promises.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
