"""BSD stamps whose month is named in another language: ``août 19 11:08:37 host tag[pid]: text``.

Some daemons write the month as strftime's ``%b`` gives it in the locale that they run in.  The names are
those of glibc's locales (``abmon``); the rest of the line is RFC 3164's.  Spaces within a name (Japanese
pads months) are left out.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.intake.envelopes import rfc3164
from mailscope.intake.envelopes.header import Header, all_or_mask

# Language -> its names from January to December.  Each name means the same month in all of them.
LANGUAGES: Final = {
    "de": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "de_AT": "Jän Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "fr": "janv. févr. mars avril mai juin juil. août sept. oct. nov. déc.",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "sv": "jan feb mar apr maj jun jul aug sep okt nov dec",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
    "nb": "jan. feb. mars april mai juni juli aug. sep. okt. nov. des.",
    "fi": "tammi helmi maalis huhti touko kesä hein elo syys loka marras joulu",
    "pl": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "cs": "led úno bře dub kvě čen čec srp zář říj lis pro",
    "tr": "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "zh": "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
}
MONTH_OF: Final = {
    name: english
    for names in LANGUAGES.values()
    for name, english in zip(names.split(), rfc3164.MONTHS, strict=True)
    if name not in rfc3164.MONTHS
}
NAME: Final = "|".join(sorted((name.replace(".", r"\.") for name in MONTH_OF), key=len, reverse=True))
SNIFF: Final = rf"^(?:{NAME}) {{1,2}}[0-9]{{1,2}} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}"
FORM: Final = rf"^(?P<month>{NAME})(?P<rest> {{1,2}}[0-9]{{1,2}} .*)$"


def parse(lines: pl.Series) -> Header:
    """Take lines apart: with the month's English name they are RFC 3164's."""
    found = lines.str.extract_groups(FORM).struct.unnest()
    english = found.select(
        pl.concat_str(pl.col("month").replace_strict(MONTH_OF, default=None), pl.col("rest")).fill_null("")
    ).to_series()
    header = rfc3164.parse(english)
    ok = found["rest"].is_not_null() if header.ok is None else header.ok & found["rest"].is_not_null()
    return Header(
        header.host,
        header.tag,
        header.text,
        local=header.local,
        stamp=header.stamp,
        ok=all_or_mask(ok),
    )
