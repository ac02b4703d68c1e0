"""Killed, without power, or on a disk that is full or fails: a few tries of what `make torture` tries thousands of."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture import shim

CHANGING = (
    "write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,copy_file_range,sendfile,splice,"
    "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir"
)
BEGIN = "begins-here"
REBUILD = f"""
import os, sys
from pathlib import Path
from tests.torture import shim
from tests.torture.stories import Rebuild, instrument
instrument()
work = Path(sys.argv[1])
story = Rebuild(work)
story.begin()
shim.watch(work / "trial")
os.mkdir(work / {BEGIN!r})
shim.begin(trace=os.open(work / "record", os.O_WRONLY | os.O_CREAT))
story.run()
shim.end()
"""


@pytest.fixture(scope="module", autouse=True)
def _shim() -> None:
    if why := shim.unavailable():
        pytest.skip(why)


def tried(harness: str, *arguments: str) -> None:
    """Run a harness, which fails unless the naive store is damaged and semsearch is not."""
    done = shim.under_shim([sys.executable, "-m", f"tests.torture.{harness}", *arguments], stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout
    tallies = json.loads(done.stdout.splitlines()[-1])
    assert all(tally["tries"] for tally in tallies)


def test_kill_9_loses_nothing_and_the_next_run_completes() -> None:
    """Before and within steps of a commit, a merge, lists, a rebuild and its swap, and at random moments."""
    tried("kill", "--story=naive", "--story=rebuild", "--points=6", "--moments=3")


def test_a_loss_of_power_loses_nothing_that_was_committed() -> None:
    """Whatever of the writes since the last sync a disk keeps."""
    tried("power", "--story=naive", "--story=build", "--points=4", "--shuffles=1")


def test_a_full_or_failing_disk_is_an_error_and_loses_nothing() -> None:
    """The message says what to do, the old state answers, and the next run completes."""
    tried("disk", "--story=naive", "--story=edit", "--faults=6", "--budgets=4")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace: apt-get install strace")
def test_no_step_goes_past_the_shim(tmp_path: Path) -> None:
    """Of all that changes files the kernel sees as many calls as the shim, syncs aside, which end in the shim."""
    log, root = tmp_path / "strace", tmp_path / "trial"
    command = ["strace", "-f", "-y", "-qq", "-e", f"trace={CHANGING}", "-o", str(log), sys.executable, "-c", REBUILD]
    done = shim.under_shim([*command, str(tmp_path)], stdout=subprocess.PIPE)
    assert done.returncode == 0
    told = log.read_text().split(BEGIN)[1].splitlines()
    seen = [line for line in told if str(root) in line and " = -1 " not in line]
    ours = [step.op for step in shim.recorded(tmp_path / "record") if step.op in "WTRUXM"]
    opened = [step.op for step in shim.recorded(tmp_path / "record") if step.op == "T" and not step.offset]
    assert len(ours) - len(opened) <= len(seen) <= len(ours)
    assert len(seen) > 300
