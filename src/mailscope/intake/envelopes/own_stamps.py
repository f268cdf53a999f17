"""Log files that programs of a mail host write by themselves, without syslog: no host, and no tag but ours.

    192.0.2.1 - alice [22/Nov/2026:04:00:42 +0000] "GET / HTTP/1.1" ...        web servers' access logs
    [Sun Nov 22 04:00:42.123456 2026] [core:error] [pid 12:tid 34] ...         Apache httpd's error log
    2026/11/22 04:00:42 [error] 12#34: *5 open() ...                           nginx's error log
    2026-11-22 04:00:42,123 fail2ban.actions        [12]: NOTICE  [sshd] ...   fail2ban.log
    22-Nov-2026 04:00:42.123 query-errors: info: client @0x7f ...              BIND's channels
    [1764000000] unbound[12:0] info: ...                                       unbound's logfile
    SU 11/22 04:00 + tty1 alice-root                                           sulog

An access log's stamp stands in the middle, so its line stays whole.  What is no instant (32 November) makes a
line that is not of the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.intake.envelopes import iso
from mailscope.intake.envelopes.header import TIME, Header, all_or_mask, runs
from mailscope.vocabulary.columns import take


@dataclass(frozen=True)
class OwnStamp:
    """A program's own form of line.

    ``FORM`` has the groups ``day``, ``clock`` and perhaps ``year``, read together by ``parts`` (strptime's
    words), or ``epoch`` (seconds); ``text``; and if it likes ``fraction``, ``zone`` (as iso.offset reads it)
    and ``pid``.  ``tag``: the program.
    """

    SNIFF: str
    FORM: str
    tag: str
    parts: str = ""

    def parse(self, lines: pl.Series) -> Header:
        """Take lines apart."""
        found = lines.str.extract_groups(self.FORM).struct.unnest()
        text = found["text"]
        tag = pl.Series([self.tag]).new_from_index(0, len(lines))
        if "pid" in found.columns:
            pid = found["pid"]
            tag = pl.select(
                pl.when(pid.is_not_null())
                .then(pl.concat_str(tag, pl.lit("["), pid, pl.lit("]")))
                .otherwise(tag)
            ).to_series()
        if "epoch" in found.columns:
            time = (found["epoch"].cast(pl.Int64, strict=False) * 1_000_000).cast(TIME)
            return Header(None, tag, text.fill_null(""), time=time, ok=all_or_mask(time.is_not_null()))
        wall = self._wall(found)
        ok = all_or_mask(text.is_not_null() & wall.is_not_null())
        text = text.fill_null("")
        if "zone" not in found.columns or found["zone"].null_count() == len(found):
            return Header(None, tag, text, local=wall, ok=ok)
        zoned = found["zone"].is_not_null()
        time = wall - iso.offset(found["zone"])
        if zoned.all():
            return Header(None, tag, text, time=time, ok=ok)
        local = pl.select(pl.when(~zoned).then(wall)).to_series()
        return Header(None, tag, text, time=time, local=local, ok=ok)

    def _wall(self, found: pl.DataFrame) -> pl.Series:
        """A wall clock's reading; only a change of the second is parsed as a date."""
        words = [found[name] for name in ("day", "clock", "year") if name in found.columns]
        stamp = pl.select(pl.concat_str(words, separator=" ")).to_series()
        distinct, run = runs(stamp)
        wall = take(distinct.str.to_datetime(self.parts, time_unit="us", strict=False), run)
        if "fraction" not in found.columns:
            return wall
        micros = found["fraction"].fill_null("0").str.head(6).str.pad_end(6, "0").cast(pl.Int64, strict=False)
        return (wall.cast(pl.Int64) + micros).cast(TIME)


CLOCK: Final = r"(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})"
ACCESS: Final = OwnStamp(
    SNIFF=(
        r'^(?:[^ \[":]+(?::[0-9]+)? )?[^ \["]+ [^ ]+ [^\["]{1,80}'
        r"\[[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:"
    ),
    FORM=rf'^(?P<text>[^\["]*\[(?P<day>[0-9]{{1,2}}/[A-Z][a-z]{{2}}/[0-9]{{4}}):{CLOCK}'
    r"(?: (?P<zone>[+-][0-9]{4})?)?\] .*)$",
    tag="httpd",
    parts="%d/%b/%Y %H:%M:%S",
)
HTTPD_ERROR: Final = OwnStamp(
    SNIFF=r"^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)? [0-9]{4}\] ",
    FORM=r"^\[[A-Z][a-z]{2} (?P<day>[A-Z][a-z]{2} [ 0-3][0-9]) "
    rf"{CLOCK}(?:\.(?P<fraction>[0-9]{{1,9}}))? (?P<year>[0-9]{{4}})\] "
    r"(?P<text>(?:\[[^\] ]*\] \[pid (?P<pid>[0-9]+))?.*)$",
    tag="httpd",
    parts="%b %d %H:%M:%S %Y",
)
NGINX_ERROR: Final = OwnStamp(
    SNIFF=r"^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} \[[a-z]+\] [0-9]+#[0-9]+: ",
    FORM=rf"^(?P<day>[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}) {CLOCK} (?P<text>\[[a-z]+\] (?P<pid>[0-9]+)#.*)$",
    tag="nginx",
    parts="%Y/%m/%d %H:%M:%S",
)
FAIL2BAN: Final = OwnStamp(
    SNIFF=r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},[0-9]{3} fail2ban\.",
    FORM=rf"^(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}) {CLOCK},(?P<fraction>[0-9]{{3}}) "
    r"(?P<text>fail2ban\.[a-z.]+ *(?:\[(?P<pid>[0-9]+)\])?: .*)$",
    tag="fail2ban",
    parts="%Y-%m-%d %H:%M:%S",
)
NAMED: Final = OwnStamp(
    SNIFF=r"^[0-9]{2}-[A-Z][a-z]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} ",
    FORM=rf"^(?P<day>[0-9]{{2}}-[A-Z][a-z]{{2}}-[0-9]{{4}}) {CLOCK}\.(?P<fraction>[0-9]{{3}}) (?P<text>.*)$",
    tag="named",
    parts="%d-%b-%Y %H:%M:%S",
)
UNBOUND: Final = OwnStamp(
    SNIFF=r"^\[[0-9]{9,11}\] unbound\[",
    FORM=r"^\[(?P<epoch>[0-9]{9,11})\] unbound(?P<text>\[(?P<pid>[0-9]+):.*)$",
    tag="unbound",
)
