"""Sets aside what a repair cannot use, in a folder of the index that is named with the time; deletes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from semsearch.store.files import storage, sync_folder


class Aside:
    """The folder `damaged-TIME` of an index, which is made when there is something to put there."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self.folder = index / f"damaged-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}"

    @property
    def used(self) -> bool:
        """Whether something was set aside."""
        return self.folder.exists()

    def take(self, file: Path) -> None:
        """Move a file there, under the path that it has in the index; nothing where there is none."""
        if not file.exists():
            return
        place = self._place(file)
        with storage(place):
            file.rename(place)
            sync_folder(place.parent)

    def copy(self, file: Path) -> None:
        """Put a copy of a file there."""
        if file.exists():
            place = self._place(file)
            with storage(place):
                shutil.copy2(file, place)

    def note(self, document: Mapping[str, Any]) -> None:
        """Write down a document that nothing else holds, a JSON object a line."""
        place = self._place(self._index / "documents.jsonl")
        with storage(place), place.open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")

    def _place(self, file: Path) -> Path:
        place = self.folder / file.relative_to(self._index)
        with storage(place):
            place.parent.mkdir(parents=True, exist_ok=True)
        return place
