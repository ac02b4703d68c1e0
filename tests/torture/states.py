"""Documents whose every state is known: who reads them can tell which state an answer is of, and whether it is whole.

In state s, a quarter of the documents is rewritten and carries that number; the others keep the number of the state
that they were rewritten in. Each topic has documents of all four quarters, so the highest number in an answer to a
topic is its state, from which follows every text in it. Lengths change with the state, so that scores do too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

DOCUMENTS, TOPICS, QUARTERS, K = 296, 37, 4, 20
"""With so many and so few, lists are used where they are made."""

Answer: TypeAlias = Mapping[str, tuple[str, float]]
"""Path -> text and score."""

CLOSE = 1e-5
_STATE = re.compile(r"state(\d+)x")


def name(number: int) -> str:
    """What a document is called."""
    return f"d{number:03}.txt"


def text(number: int, state: int) -> str:
    """What a document says in a state."""
    last = max(state - (state - number) % QUARTERS, 0)
    filler = " ".join(f"word{number}y{i}" for i in range(1 + (number // TOPICS + last) % 9))
    return f"state{last}x topic{number % TOPICS}z {filler}."


def rewritten(state: int) -> dict[str, str]:
    """The documents that differ from those of the state before; all in state 0."""
    numbers = range(DOCUMENTS) if not state else range(state % QUARTERS, DOCUMENTS, QUARTERS)
    return {name(number): text(number, state) for number in numbers}


def query(topic: int) -> str:
    """What asks for the documents of a topic."""
    return f"topic{topic % TOPICS}z"


def state_of(answer: Answer) -> int:
    """The state that an answer is of, if it is whole."""
    return max(int(found[1]) for said, _ in answer.values() if (found := _STATE.match(said)))


def complaints(topic: int, answer: Answer, known: Sequence[Mapping[int, Answer]] = ()) -> list[str]:
    """What shows that an answer to a topic is not of one state; `known` are answers by state and topic, if exact."""
    if not answer:
        return ["no hit"]
    state = state_of(answer)
    expected = {name(number): text(number, state) for number in range(DOCUMENTS)}
    wrong = [f"{path} is of another state than {state}" for path, (said, _) in answer.items() if said != expected[path]]
    if known:
        return wrong + _differences(answer, known[state][topic % TOPICS])
    missing = {name(number) for number in range(topic % TOPICS, DOCUMENTS, TOPICS)} - answer.keys()
    return wrong + [f"{path} is missing in state {state}" for path in sorted(missing)]


def _differences(answer: Answer, known: Answer) -> list[str]:
    """Which scores are not the known ones; below the lowest, equals may be left out or in."""
    least = min(score for _, score in known.values()) + CLOSE
    return [
        f"{path} has the score {answer.get(path, ('', None))[1]}, not {score}"
        for path, (_, score) in known.items()
        if score > least and (path not in answer or abs(answer[path][1] - score) > CLOSE)
    ]


def answer(hits: Iterable[tuple[str, str, float]]) -> Answer:
    """Hits, each a path, text and score, as an answer; only those that are documents of these states."""
    return {path: (said, score) for path, said, score in hits if said.startswith("state")}
