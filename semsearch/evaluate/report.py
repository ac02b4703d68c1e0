"""Shows what was measured as a table or as JSON, and reads that JSON again; pure, it prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from semsearch.errors import UsageError
from semsearch.evaluate.significance import RESAMPLES, Interval
from semsearch.evaluate.values import METRICS, Comparison, Evaluation, Measured

SCHEMA = "semsearch/eval/1"


def as_table(found: Evaluation) -> Iterator[str]:
    """Lines for a person to read: a row a setting, then a row a comparison."""
    yield f"{found.collection}: {len(found.queries):,} judged queries, {found.documents:,} documents, {found.model}"
    yield "A document ranks by its best passage. In brackets: 95 % bootstrap interval over the queries."
    yield ""
    rows = [
        [each.setting, *(_interval(each.means[metric]) for metric in METRICS), f"{each.milliseconds:.0f}"]
        for each in found.measured
    ]
    yield from _aligned([["setting", *METRICS, "ms a query"], *rows])
    if found.comparisons:
        yield ""
        yield f"Two-sided p of a paired randomisation test ({RESAMPLES:,} draws), not corrected for several tests."
        yield ""
        rows = [
            [each.setting, each.against, _interval(each.difference, "+"), f"{each.p:.4f}"] for each in found.comparisons
        ]
        yield from _aligned([["setting", "against", f"difference in {found.comparisons[0].metric}", "p"], *rows])


def as_json(found: Evaluation) -> str:
    """One object with every value of every query; `from_json` reads it."""
    return json.dumps({"schema": SCHEMA, **asdict(found)}, ensure_ascii=False, indent=2)


def from_json(text: str, name: str) -> Evaluation:
    """What `as_json` wrote.

    Args:
        text: the JSON.
        name: of the file, for what is wrong with it.

    Raises:
        UsageError: it is something else.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        if fields.pop("schema") != SCHEMA:
            raise UsageError(f"{name}: is of another version than {SCHEMA}; measure anew")
        fields["measured"] = tuple(_measured(each) for each in fields["measured"])
        fields["comparisons"] = tuple(
            Comparison(**{**each, "difference": Interval(**each["difference"])}) for each in fields["comparisons"]
        )
        return Evaluation(**{**fields, "notes": tuple(fields["notes"])})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(f"{name}: is not what `semsearch eval --format json` gave ({error})") from error


def _measured(fields: dict[str, Any]) -> Measured:
    means = {metric: Interval(**interval) for metric, interval in fields["means"].items()}
    return Measured(**{**fields, "means": means})


def _interval(interval: Interval, sign: str = "") -> str:
    return f"{interval.mean:{sign}.3f} [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
