"""Whose mail servers a next hop is one of: the provider, as people call it.

By the domain of the host that answered; where none did, by the recipient's domain.  A host of nobody known
goes by its registered domain, as far as that can be told without a list of public suffixes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import polars as pl

# The end of a host's name, or of a recipient's domain -> who runs it.
PROVIDERS: Final[dict[str, str]] = {
    suffix: name
    for name, suffixes in {
        "Microsoft": "outlook.com hotmail.com live.com msn.com office365.com outlook.cn partner.outlook.cn",
        "Google": "google.com googlemail.com gmail.com",
        "Yahoo": "yahoodns.net yahoo.com aol.com ymail.com yahoo.co.jp",
        "Apple": "icloud.com me.com mac.com apple.com",
        "GMX and WEB.DE": "gmx.net gmx.de gmx.at gmx.ch gmx.com web.de mail.com",
        "IONOS": "kundenserver.de ionos.com 1and1.com perfora.net",
        "Telekom": "t-online.de telekom.de",
        "freenet": "freenet.de",
        "Orange": "orange.fr wanadoo.fr",
        "Free": "free.fr proxad.net",
        "La Poste": "laposte.net",
        "SFR": "sfr.fr",
        "Libero": "libero.it iol.it virgilio.it",
        "Aruba": "aruba.it pec.aruba.it",
        "TIM": "tim.it alice.it",
        "Telia": "telia.com telia.net",
        "Comcast": "comcast.net",
        "Charter": "charter.net rr.com",
        "Cox": "cox.net",
        "Mail.ru": "mail.ru",
        "Yandex": "yandex.ru yandex.net",
        "Tencent QQ": "qq.com foxmail.com",
        "NetEase": "163.com 126.com yeah.net netease.com",
        "Alibaba": "aliyun.com mxhichina.com",
        "Sina": "sina.com sina.cn",
        "Zoho": "zoho.com zoho.eu",
        "Proton": "protonmail.ch proton.me protonmail.com",
        "Fastmail": "messagingengine.com fastmail.com",
        "Mimecast": "mimecast.com",
        "Proofpoint": "pphosted.com ppe-hosted.com",
        "Barracuda": "barracudanetworks.com",
        "Cisco": "iphmx.com",
        "Trend Micro": "trendmicro.com trendmicro.eu",
        "OVH": "ovh.net",
        "Strato": "rzone.de",
    }.items()
    for suffix in suffixes.split()
}
# Second labels under which others register their names.
SECOND: Final = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gv", "ne", "net", "or", "org"})


@lru_cache(maxsize=65_536)
def provider(name: str) -> str:
    """Who runs a host or domain."""
    labels = name.lower().rstrip(".").split(".")
    for start in range(len(labels)):
        found = PROVIDERS.get(".".join(labels[start:]))
        if found:
            return found
    if labels[-1].isdecimal():
        return name
    short = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND
    return ".".join(labels[-3 if short else -2 :])


def providers(names: pl.Series) -> pl.Series:
    """The provider of each name; null where there is none."""
    known = names.unique().drop_nulls()
    told = pl.Series([provider(each) for each in known], dtype=pl.String)
    return names.replace_strict(known, told, default=None, return_dtype=pl.String)
