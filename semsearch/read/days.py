"""Days as people write them: `15. Februar 2024`, `Feb 15th, 2024`, `15/2/2024` -> ISO 8601; knows no words but months.

The months are those of English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Serbian, Croatian and
Russian, whole or cut to three letters and more; years are of four digits, from 1970 on.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_MONTHS = """
january januar janvier enero gennaio janeiro januari stycznia januara sijecnja siječanj января јануар
february februar fevrier febrero febbraio fevereiro februari lutego februara veljace veljaca февраля фебруар
march marz maerz mars marzo marco maart marca marta mart ozujka ozujak марта март
april avril abril aprile kwietnia aprila travnja travanj апреля април
may mai mayo maggio maio mei maja maj svibnja svibanj мая мај
june juni juin junio giugno junho czerwca juna jun lipnja lipanj июня јун
july juli juillet julio luglio julho lipca jula jul srpnja srpanj июля јул
august aout agosto augustus sierpnia augusta avgust avgusta kolovoza kolovoz августа август
september septembre septiembre settembre setembro wrzesnia septembra septembar rujna rujan сентября септембар
october oktober octobre octubre ottobre outubro pazdziernika oktobra oktobar listopada listopad октября октобар
november novembre noviembre novembro listopada novembra novembar studenog studenoga studeni ноября новембар
december dezember decembre diciembre dicembre dezembro grudnia decembra decembar prosinca prosinac декабря децембар
"""


def _folded(word: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(each))


_NUMBERS: dict[str, int] = {}
for _number, _names in enumerate(_MONTHS.split("\n")[1:-1], 1):
    for _name in _names.split():
        for _end in range(3, len(_name) + 1):
            _NUMBERS.setdefault(_folded(_name)[:_end], _number)

_YEAR = r"(19[7-9]\d|20\d\d)"
_WRITTEN = (
    (re.compile(rf"\b(\d{{1,2}})(?:\.|er|º)?\s+(?:de\s+)?([^\W\d_]{{3,12}})\.?,?\s+(?:de\s+)?{_YEAR}\b"), "dmy"),
    (re.compile(rf"\b([^\W\d_]{{3,12}})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}\b"), "mdy"),
    (re.compile(rf"\b{_YEAR}-(\d\d)-(\d\d)(?!\d)"), "ymd"),
    (re.compile(rf"{_YEAR}\s?[年년]\s?(\d{{1,2}})\s?[月월]\s?(\d{{1,2}})\s?[日일]"), "ymd"),
    (re.compile(rf"\b(\d{{1,2}})\.\s?(\d{{1,2}})\.\s?{_YEAR}\b"), "dmy"),
    (re.compile(rf"\b(\d{{1,2}})/(\d{{1,2}})/{_YEAR}\b"), "?"),
)


def day_in(line: str, *, month_first: bool = False) -> str:
    """The first day that a line names, YYYY-MM-DD; "" where there is none.

    Args:
        line: some words.
        month_first: how to read `2/3/2024`, where either could be the month.
    """
    found = [(match.start(), match.groups(), order) for written, order in _WRITTEN for match in written.finditer(line)]
    for _, parts, order in sorted(found):
        ordered = order if order != "?" else "mdy" if month_first else "dmy"
        if (
            day := _day(dict(zip(ordered, parts, strict=True)))
            or (order == "?" and _day(_swapped(ordered, parts)))
            or ""
        ):
            return day
    return ""


def _swapped(order: str, parts: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(order[1] + order[0] + order[2], parts, strict=True))


def _day(parts: dict[str, str]) -> str:
    month = int(parts["m"]) if parts["m"].isdigit() else _NUMBERS.get(_folded(parts["m"]), 0)
    try:
        return date(int(parts["y"]), month, int(parts["d"])).isoformat()
    except ValueError:
        return ""
