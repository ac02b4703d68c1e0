"""A filter admits the documents that it says, and refuses to be made where nothing could match."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch import Filter
from semsearch.errors import UsageError
from semsearch.store.stored import StoredDocument
from semsearch.types import FileStat

PLAIN = StoredDocument(1, "/news", "a.md", FileStat(1, 1, ""), "", "", "", "", "", {})


def document(**fields: Any) -> StoredDocument:
    return replace(PLAIN, **fields)


@pytest.mark.parametrize(
    ("since", "until", "date", "admitted"),
    [
        ("2025", "", "2025-01-01", True),
        ("2025", "", "2024-12-31T23:59:59", False),
        ("2025-01", "", "2025-01-01T00:00:00+02:00", True),
        ("2025-01-31", "", "2025-01-31T08:00:00Z", True),
        ("2025-02", "", "2025-01-31", False),
        ("", "2025-01", "2025-01-31T23:59:59.5+00:00", True),
        ("", "2025-01", "2025-02-01", False),
        ("", "2024", "2024-12-31", True),
        ("", "2025-01-30", "2025-01-31", False),
        ("2025-01", "2025-01", "2025-01-15", True),
        ("2025", "", "20250301", True),
        ("", "2024", "2025-W10-5", False),
        ("1000", "", "", False),
        ("", "9999", "", False),
        ("", "9999", "yesterday", False),
        ("", "", "", True),
    ],
)
def test_dates_hold_whole_days_months_and_years(since: str, until: str, date: str, admitted: object) -> None:
    """`since` takes the first day of what it names, `until` its last; without a date a document lies in no span."""
    assert admitted is Filter(since=since, until=until).matches(document(date=date))


@pytest.mark.parametrize(
    ("fields", "values", "admitted"),
    [
        ({"source": "reuters"}, {"source": "REUTERS Balkans"}, True),
        ({"source": "reuters"}, {"source": "AFP"}, False),
        ({"source": ["reuters", "afp"]}, {"source": "AFP"}, True),
        ({"source": "reuters"}, {"source": ""}, False),
        ({"author": "karadzic"}, {"author": "Вук Караџић"}, True),
        ({"author": "Đinđić"}, {"author": "zoran  djindjic"}, True),
        ({"author": "Zoran Đinđić"}, {"author": "zoran  djindjic"}, True),
        ({"author": "straße"}, {"author": "Strasse"}, True),
        ({"language": "sr"}, {"language": "sr-Latn"}, True),
        ({"language": "sr"}, {"language": "bs"}, True),
        ({"language": "hr"}, {"language": "sr_Cyrl"}, True),
        ({"language": "SR"}, {"language": "sh"}, True),
        ({"language": "sr-Latn"}, {"language": "sr"}, False),
        ({"language": "sr-Latn"}, {"language": "sr-Latn-RS"}, True),
        ({"language": "en"}, {"language": "en-GB"}, True),
        ({"language": "en"}, {"language": "enm"}, False),
        ({"language": "en"}, {"language": ""}, False),
        ({"language": ("de", "fr")}, {"language": "fr"}, True),
        ({"source": "afp", "author": "ana"}, {"source": "AFP"}, False),
        ({"source": "afp", "author": "ana"}, {"source": "AFP", "author": "Ana"}, True),
    ],
)
def test_names_and_languages(fields: dict[str, Any], values: dict[str, str], admitted: object) -> None:
    """Parts of names are compared folded; a language takes its variants; kinds must all hold, values are choices."""
    assert admitted is Filter(**fields).matches(document(**values))


@pytest.mark.parametrize(
    ("pattern", "path", "admitted"),
    [
        ("reports/", "reports/a.md", True),
        ("reports/", "x/reports/y/a.md", True),
        ("reports/", "reports.md", False),
        ("reports", "reports/a.md", True),
        ("*.md", "x/y/a.md", True),
        ("*.md", "x/a.txt", False),
        ("x/*.md", "x/a.md", True),
        ("x/*.md", "x/y/a.md", False),
        ("x/*.md", "z/x/a.md", False),
        ("./x/*.md", "x/a.md", True),
        ("x/**/a.md", "x/y/z/a.md", True),
        ("x/**", "x/y/z/a.md", True),
        ("2025-0[1-3]-?.md", "2025-02-7.md", True),
        ("2025-0[!1-3]-?.md", "2025-02-7.md", False),
        ("/news/x/", "x/a.md", True),
        ("/news/*.md", "a.md", True),
        ("/*/a.md", "a.md", True),
        ("/x/", "x/a.md", True),
        ("/news/y/", "x/a.md", False),
        ("news/x/", "x/a.md", False),
        ("#a.md", "#a.md", True),
        ("\\!a.md", "!a.md", True),
        ("A.md", "a.md", False),
    ],
)
def test_paths_are_meant_as_in_a_gitignore(pattern: str, path: str, admitted: object) -> None:
    """Below the folder of articles, or with `/` in front the whole path; a folder stands for all it holds."""
    assert admitted is Filter(path=pattern).matches(document(path=path))


def test_a_document_that_was_no_file_has_no_absolute_path() -> None:
    """Its name alone is compared."""
    assert Filter(path="x/").matches(document(root="", path="x/a"))
    assert not Filter(path="/news/").matches(document(root="", path="x/a"))


FIELDS = {
    "topic": "Energy",
    "tags": ["gas", "Nafta i gas"],
    "rating": 5,
    "share": 0.5,
    "draft": False,
    "none": None,
    "empty": [],
    "place": {"City": "Niš", "geo": {"x": 1}},
    "og.type": "article",
    "authors": [{"name": "Ana"}, {"name": "Marko"}],
}


@pytest.mark.parametrize(
    ("where", "admitted"),
    [
        ("topic=energy", True),
        ("Topic = ENERGY", True),
        ("topic=ener", False),
        ("topic!=sport", True),
        ("topic!=energy", False),
        ("tags=gas", True),
        ("tags=nafta  i gas", True),
        ("tags=nafta", False),
        ("tags!=gas", False),
        ("rating=5", True),
        ("rating=5.0", False),
        ("share=0.5", True),
        ("draft=false", True),
        ("draft!=True", True),
        ("place.city=nis", True),
        ("place.geo.x=1", True),
        ("place=nis", False),
        ("place.geo=1", False),
        ("og.type=article", True),
        ("authors.name=marko", True),
        ("missing=x", False),
        ("missing!=x", True),
        ("missing=", True),
        ("none=", True),
        ("empty=", True),
        ("topic=", False),
        ("topic!=", True),
        ("a=b=c", False),
        (("topic=sport", "topic=energy"), True),
        (("topic=energy", "rating=4"), False),
        (("topic=energy", "rating=5"), True),
        (("topic!=sport", "topic!=energy"), False),
    ],
)
def test_where_asks_a_field_of_the_front_matter(where: str | tuple[str, ...], admitted: object) -> None:
    """Whole values by their folded text; fields within fields; lists by what they hold; missing is empty."""
    assert admitted is Filter(where=where).matches(document(metadata=FIELDS))


def test_long_values_are_compared_to_their_ends() -> None:
    """Not only as far as a term of the index goes, in any script."""
    for sign in ("x", "ж"):
        value = sign * 100
        assert Filter(where=f"url={value}").matches(document(metadata={"url": value}))
        assert not Filter(where=f"url={value}").matches(document(metadata={"url": value + sign}))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"since": "2025-13"}, "--since 2025-13: is no date"),
        ({"since": "2025-02-30"}, "--since 2025-02-30: is no date"),
        ({"until": "25"}, "--until 25: is no date"),
        ({"until": "2025-1"}, "--until 2025-1: is no date"),
        ({"until": "0000"}, "--until 0000: is no date"),
        ({"since": 2025}, "--since 2025: is no date"),
        ({"since": "2025-02", "until": "2025-01-31"}, "--since 2025-02 is after --until 2025-01-31"),
        ({"since": "2025", "until": "2024-12"}, "--since 2025 is after --until 2024-12"),
        ({"source": " "}, "--source: holds an empty value"),
        ({"language": [""]}, "--lang: holds an empty value"),
        ({"author": [None]}, "--author: holds an empty value"),
        ({"language": "en US"}, "--lang en US: is no language"),
        ({"path": "!drafts/"}, "--path !drafts/: says where not to look"),
        ({"path": "a[b"}, r"--path a\[b: matches no path"),
        ({"where": "topic"}, "--where topic: is no condition"),
        ({"where": "=energy"}, "--where =energy: is no condition"),
        ({"where": "!=energy"}, "--where !=energy: is no condition"),
    ],
)
def test_what_can_match_nothing_is_refused(fields: dict[str, Any], message: str) -> None:
    """When the filter is made, with what is wrong and how it is written."""
    with pytest.raises(UsageError, match=message):
        Filter(**fields)


def test_a_filter_is_a_value() -> None:
    """One value equals a list of one; it can be hashed, copied and pickled; an empty one is false."""
    one, two = Filter(source="afp"), Filter(source=["afp"])
    assert one == two == pickle.loads(pickle.dumps(one)) == replace(one, since="")
    assert {one: 1}[two] == 1
    assert one
    assert not Filter()


def test_refusals_name_the_conditions_that_do_not_hold() -> None:
    """As they would be written on the command line, and no others."""
    limits = Filter(since="2025", source=["afp", "dpa"], language="en", path="*.md", where=["a=1", "a=2", "b!=3"])
    refused = limits.refusals(document(date="2024-01-01", language="en", metadata={"b": 3}))
    assert sorted(refused) == ["--since 2025", "--source afp --source dpa", "--where a=1 --where a=2", "--where b!=3"]
    assert limits.refusals(document(date="2025-01-01", source="AFP", language="en", metadata={"a": 2})) == []


DAYS = st.dates().map(str)
SIDES = {
    "date": st.one_of(st.just(""), DAYS, DAYS.map(lambda day: f"{day}T10:00:00+02:00")),
    "source": st.sampled_from(["", "AFP", "dpa-afp", "Reuters"]),
    "author": st.sampled_from(["", "Ana", "Ana Kovač", "KOVAC"]),
    "language": st.sampled_from(["", "en", "en-GB", "sr-Latn", "bs", "enm"]),
    "path": st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map("/".join),
    "metadata": st.dictionaries(st.sampled_from("xy"), st.sampled_from(["1", 1, "2", ["1", "2"], None]), max_size=2),
}
BOUNDS = st.one_of(st.just(""), DAYS, DAYS.map(lambda day: day[:7]), DAYS.map(lambda day: day[:4]))
LIMITS = {
    "since": BOUNDS,
    "until": BOUNDS,
    "source": st.lists(st.sampled_from(["afp", "reut"]), max_size=2),
    "author": st.lists(st.sampled_from(["ana", "kovač"]), max_size=2),
    "language": st.lists(st.sampled_from(["en", "hr"]), max_size=2),
    "path": st.lists(st.sampled_from(["a/", "/b/", "a", "b/*/a"]), max_size=2),
    "where": st.lists(st.sampled_from(["x=1", "x=2", "y=1", "x!=2", "y="]), max_size=3),
}


def naive(limits: dict[str, Any], d: StoredDocument) -> bool:
    """The promise of each condition, word by word."""
    language = d.language.split("-")[0].replace("sr", "hr").replace("bs", "hr")
    names = {"source": d.source.lower(), "author": d.author.lower().replace("č", "c")}
    parts = d.path.split("/")
    paths = {
        "a/": "a" in parts[:-1],
        "/b/": parts[0] == "b" and len(parts) > 1,
        "a": "a" in parts,
        "b/*/a": parts[0] == "b" and parts[2:3] == ["a"],
    }
    texts = {}
    for field in "xy":
        value = d.metadata.get(field)
        texts[field] = [""] if value is None else [str(v) for v in (value if isinstance(value, list) else [value])]
    wanted = {field: [where[2:] for where in limits["where"] if where.startswith(f"{field}=")] for field in "xy"}
    return all(
        [
            d.date or not (limits["since"] or limits["until"]),
            not limits["since"] or d.date[:10] >= (limits["since"] + "-01-01")[:10],
            not limits["until"] or d.date[:10] <= (limits["until"] + "-99-99")[:10],
            *(not limits[n] or any(part.replace("č", "c") in names[n] for part in limits[n]) for n in names),
            not limits["language"] or language in limits["language"],
            not limits["path"] or any(paths[pattern] for pattern in limits["path"]),
            *(not wanted[field] or set(wanted[field]) & set(texts[field]) for field in "xy"),
            "x!=2" not in limits["where"] or "2" not in texts["x"],
        ]
    )


@given(st.fixed_dictionaries(LIMITS), st.lists(st.fixed_dictionaries(SIDES), min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_a_filter_is_the_conditions_taken_one_by_one(limits: dict[str, Any], sides: list[dict[str, Any]]) -> None:
    """For any filter and document: what the naive reading of each condition says."""
    since, until = limits["since"], limits["until"]
    if since and until and (since + "-01-01")[:10] > (until + "-99-99")[:10]:
        with pytest.raises(UsageError, match="is after"):
            Filter(**limits)
        return
    made = Filter(**limits)
    for fields in sides:
        one = document(**fields)
        assert naive(limits, one) is made.matches(one) is (not made.refusals(one))
