"""Fetches the packages of the corpus, each by its registry's own client, and gives the files in them; commits none.

What is fetched stays in the user's cache (`SEMSEARCH_CORPUS` names another folder) and counts only with the sha256 that
`packages.json` states. Nothing in a package is run but what pip runs to learn its name.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("SEMSEARCH_CORPUS") or platformdirs.user_cache_dir("semsearch-corpus"))
LONGEST = 120
"""Seconds for one package."""
_PIP = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "0", "--timeout", "20"]
_APT = ["-qq", "-o", "Acquire::Retries=0", "-o", f"Dir::State::Lists={CACHE / 'lists'}", "-o", f"Dir::Cache={CACHE}"]


class UnfetchedError(Exception):
    """A package cannot be had here, with the reason."""


@dataclass(frozen=True)
class Package:
    """A package as `packages.json` pins it; `registry` is "sdist" or "wheel" of PyPI, "npm" or "debian"."""

    name: str
    version: str
    registry: str
    sha256: str

    @property
    def place(self) -> Path:
        return CACHE / f"{self.name}-{self.version.replace(':', '-')}"

    def fetch(self) -> None:
        """Put it in its place, if it is not there.

        Raises:
            UnfetchedError: its client is missing or fails, or gives another file.
        """
        if not self.place.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                for command in self._commands(folder):
                    run(command, Path(folder))
                (file,) = (each for each in Path(folder).iterdir() if each.is_file())
                file.replace(self.place)
        if (found := hashlib.sha256(self.place.read_bytes()).hexdigest()) != self.sha256:
            raise UnfetchedError(f"{self.place} has sha256 {found}, not {self.sha256}; delete it to try again")

    def _commands(self, folder: str) -> list[list[str]]:
        match self.registry:
            case "sdist" | "wheel":
                kind = "--no-binary" if self.registry == "sdist" else "--only-binary"
                return [[*_PIP, kind, ":all:", "--dest", folder, f"{self.name}=={self.version}"]]
            case "npm":
                return [["npm", "pack", "--silent", "--fetch-retries=0", f"{self.name}@{self.version}"]]
            case _:
                has_lists = any((CACHE / "lists").glob("*Packages*"))
                update = [] if has_lists else [["apt-get", "update", *_APT]]
                return [*update, ["apt-get", "download", *_APT, f"{self.name}={self.version}"]]


def run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnfetchedError(str(error)) from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise UnfetchedError(f"{' '.join(command[:2])}: {said}")


@functools.cache
def packages() -> dict[str, Package]:
    """All packages of the corpus by name."""
    return {each["name"]: Package(**each) for each in json.loads((HERE / "packages.json").read_text())}


@functools.cache
def unfetched() -> dict[str, str]:
    """Fetch what is not there, the registries beside each other; the packages that cannot be had here, and why."""
    (CACHE / "lists/partial").mkdir(parents=True, exist_ok=True)
    by_registry: dict[str, list[Package]] = {}
    for package in packages().values():
        by_registry.setdefault(package.registry, []).append(package)
    with FileLock(CACHE / "lock"), ThreadPoolExecutor() as pool:
        return {name: why for each in pool.map(_fetch_in_turn, by_registry.values()) for name, why in each.items()}


def _fetch_in_turn(wanted: list[Package]) -> dict[str, str]:
    """A registry that fails twice before it has given anything is not asked again."""
    missing: dict[str, str] = {}
    for asked, package in enumerate(wanted):
        if asked == len(missing) == 2 and not package.place.exists():
            missing |= {each.name: f"as {wanted[0].name}: {missing[wanted[0].name]}" for each in wanted[asked:]}
            break
        try:
            package.fetch()
        except UnfetchedError as error:
            missing[package.name] = str(error)
    return missing


@functools.lru_cache(maxsize=4)
def members(name: str) -> dict[str, bytes]:
    """All files of a package by their paths, of a source package without the folder that all of them are in."""
    package = packages()[name]
    if zipfile.is_zipfile(package.place):
        with zipfile.ZipFile(package.place) as packed:
            return {each.filename: packed.read(each) for each in packed.infolist()}
    data = package.place.read_bytes()
    is_debian = package.registry == "debian"
    if is_debian:
        data = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(package.place)], capture_output=True, check=True
        ).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        files = {each.name: packed.extractfile(each) for each in packed if each.isfile()}
        return {path.split("/", 1)[1]: file.read() for path, file in files.items() if file is not None}
