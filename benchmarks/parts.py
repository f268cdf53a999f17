"""The parts of the benchmark. Each compares two commands that run in turn, and says what was found.

A part is a function from a `Bench` to its `Finding`s. `PARTS` lists them. A measured figure is a ratio
against a peer in the same run; seconds alone say more about the machine than about the program.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from logs import Logs, queue_id_in_the_middle
from mailscope.syslog.receiver.message import Transport
from measure import Command, Run, Spread, in_turn, ratio, walls
from reception import PER_SECOND, receive

SOURCE = Path(__file__).parent.parent / "src"
SMALL_LINES = 1000
MANY = 10  # how many times the size


@dataclass(frozen=True)
class Finding:
    """One line of the result. `goal` says what the design wants, `met` whether it holds."""

    part: str
    what: str
    figure: str
    goal: str = ""
    met: bool | None = None


@dataclass
class Bench:
    """What all parts need, and every run they made."""

    logs: Logs
    lines: int
    runs: int
    say: Callable[[str], None]
    made: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    days: int = 28

    def compare(self, part: str, commands: dict[str, Command]) -> dict[str, list[Run]]:
        """Run commands in turn and keep the runs."""
        runs = in_turn(commands, self.runs, lambda name: self.say(f"{part}: {name}"))
        self.made[part] = runs
        return runs


def mailscope(*words: str, **environment: str) -> Command:
    """Give the command line of this tree's Mailscope."""
    path = os.pathsep.join([str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return Command([sys.executable, "-m", "mailscope", *words], {"PYTHONPATH": path, **environment})


def report(path: Path, **environment: str) -> Command:
    """Give the command that reports on a log."""
    return mailscope("report", str(path), **environment)


def against_pflogsumm(bench: Bench) -> list[Finding]:
    """Report on a day's log, beside pflogsumm."""
    part = "pflogsumm"
    log = bench.logs.plain(bench.lines)
    commands = {"mailscope": report(log)}
    peer = shutil.which("pflogsumm")
    if peer:
        commands = {"pflogsumm": Command([peer, str(log)]), **commands}
    runs = bench.compare(part, commands)
    findings = [found for name in commands for found in costs(part, name, runs[name], bench.lines)]
    if not peer:
        return [*findings, Finding(part, "times as fast", "pflogsumm is not installed (Debian: pflogsumm)")]
    faster = ratio(runs["pflogsumm"], runs["mailscope"])
    return [*findings, Finding(part, "times as fast", str(faster), "at least 15", faster.middle >= 15)]


def the_same_text(bench: Bench) -> list[Finding]:
    """Make pflogsumm's own report from a day's log, beside pflogsumm: each release that is here."""
    part = "pflogsumm-compat"
    log = bench.logs.plain(bench.lines)
    findings: list[Finding] = []
    for release, program in pflogsumms().items():
        ours = mailscope("pflogsumm", f"--version-compat={release}", str(log))
        names = (f"pflogsumm {release}", f"mailscope {release}")
        runs = bench.compare(
            part, dict(zip(names, (Command(["perl", program, str(log)]), ours), strict=True))
        )
        for name in names:
            findings += costs(part, name, runs[name], bench.lines)
        faster = ratio(runs[names[0]], runs[names[1]])
        less = Spread.of(
            [there.cpu_s / here.cpu_s for there, here in zip(*(runs[name] for name in names), strict=True)]
        )
        goal = "at least 15"
        findings.append(Finding(part, f"{release}: times as fast", str(faster), goal, faster.middle >= 15))
        findings.append(Finding(part, f"{release}: times less processor", str(less)))
    return findings or [Finding(part, "times as fast", "pflogsumm is not installed (Debian: pflogsumm)")]


def pflogsumms() -> dict[str, str]:
    """Release -> program: the installed one, and the one that `.ci/fetch-pflogsumm` unpacks."""
    found = {}
    fetched = SOURCE.parent / "build" / "peers" / "usr" / "bin" / "pflogsumm"
    for program in filter(None, [shutil.which("pflogsumm"), str(fetched) if fetched.is_file() else None]):
        said = subprocess.run(["perl", program, "--version"], capture_output=True, text=True, check=False)
        found[said.stdout.strip().rpartition(" ")[2]] = program
    return {release: found[release] for release in ("1.1.5", "1.3.0") if release in found}


def many_times_the_size(bench: Bench) -> list[Finding]:
    """Report on a log of ten times the size: time must grow alike, memory must not."""
    part = "size"
    small, large = bench.logs.plain(bench.lines), bench.logs.plain(bench.lines * MANY)
    runs = bench.compare(part, {"1": report(small), str(MANY): report(large)})
    slower = ratio(runs[str(MANY)], runs["1"])
    peaks = {name: max(run.peak_mb for run in made) for name, made in runs.items()}
    more = peaks[str(MANY)] / peaks["1"]
    return [
        *costs(part, f"{MANY} times the lines", runs[str(MANY)], bench.lines * MANY),
        Finding(part, "times as long", str(slower), f"at most {MANY * 1.1:g}", slower.middle <= MANY * 1.1),
        Finding(part, "times as much memory", f"{more:.3g}", "at most 1.2", more <= 1.2),
    ]


def compressed_input(bench: Bench) -> list[Finding]:
    """Report on a log compressed with gzip, beside the plain one."""
    plain, compressed = bench.logs.plain(bench.lines), bench.logs.compressed(bench.lines)
    runs = bench.compare("gzip", {"plain": report(plain), "gzip": report(compressed)})
    slower = ratio(runs["gzip"], runs["plain"])
    return [
        *costs("gzip", "compressed", runs["gzip"], bench.lines),
        Finding("gzip", "times as long as plain", str(slower), "at most 1.3", slower.middle <= 1.3),
    ]


def mixed_log(bench: Bench) -> list[Finding]:
    """Report on a log of Postfix, Dovecot, Rspamd and sshd, beside one of Postfix alone, line for line."""
    lines = bench.lines // 4
    plain, mixed = bench.logs.plain(lines), bench.logs.mixed(lines)
    commands = {
        name: report(path, MAILSCOPE_THREADS="1") for name, path in (("postfix", plain), ("mixed", mixed))
    }
    runs = bench.compare("mixed", commands)
    with mixed.open("rb") as file:
        share = sum(1 for _ in file) / lines
    slower = [
        there.cpu_s / here.cpu_s / share for here, there in zip(runs["postfix"], runs["mixed"], strict=True)
    ]
    spread = Spread.of(slower)
    return [
        Finding(
            "mixed",
            "processor time for each line, times Postfix's",
            str(spread),
            "at most 1.5",
            spread.middle <= 1.5,
        )
    ]


def more_patterns(bench: Bench) -> list[Finding]:
    """Report with a hundred patterns more, of programs not in the log, beside the report without them."""
    log, folder = bench.logs.plain(bench.lines // 4), bench.logs.foreign_patterns()
    commands = {
        "without": report(log, MAILSCOPE_THREADS="1"),
        "with": mailscope("report", f"--patterns={folder}", str(log), MAILSCOPE_THREADS="1"),
    }
    runs = bench.compare("patterns", commands)
    spread = Spread.of(
        [there.cpu_s / here.cpu_s for here, there in zip(runs["without"], runs["with"], strict=True)]
    )
    return [
        Finding(
            "patterns", "100 patterns more, times the processor time", str(spread), "at most 1.05",
            spread.middle <= 1.05,
        )
    ]  # fmt: skip


def one_thread_or_two(bench: Bench) -> list[Finding]:
    """Report with one thread, beside two."""
    log = bench.logs.plain(bench.lines)
    commands = {name: report(log, MAILSCOPE_THREADS=name) for name in ("1", "2")}
    runs = bench.compare("threads", commands)
    return [
        *costs("threads", "one thread", runs["1"], bench.lines),
        Finding("threads", "two are times as fast as one", str(ratio(runs["1"], runs["2"]))),
    ]


def small_log(bench: Bench) -> list[Finding]:
    """Report on a thousand lines: what starting costs, beside Python's own start."""
    log = bench.logs.plain(SMALL_LINES)
    commands = {"python": Command([sys.executable, "-c", "pass"]), "mailscope": report(log)}
    runs = bench.compare("small", commands)
    return [
        Finding("small", f"{SMALL_LINES} lines, seconds", str(Spread.of(list(walls(runs["mailscope"]))))),
        Finding("small", "times Python's own start", str(ratio(runs["mailscope"], runs["python"]))),
    ]


def trace(bench: Bench) -> list[Finding]:
    """Trace one message of a day's log, beside the report on it."""
    log = bench.logs.plain(bench.lines)
    queue_id = queue_id_in_the_middle(log)
    runs = bench.compare("trace", {"report": report(log), "trace": mailscope("trace", queue_id, str(log))})
    return [
        *costs("trace", f"of {queue_id}", runs["trace"], bench.lines),
        Finding("trace", "times as fast as the report", str(ratio(runs["report"], runs["trace"]))),
    ]


def month(bench: Bench) -> list[Finding]:
    """Report on the last day of many with the others as its history, and on all days, beside that day alone.

    A day has as many lines as the benchmark was asked for; 920,000 are 100,000 messages.
    """
    part = "month"
    days = bench.logs.daily(bench.days, bench.lines)
    names = [str(path) for path in days]
    # The whole last day, so that its report is that of the day alone.
    last = date(2026, 3, 2) + timedelta(days=bench.days - 1)
    commands = {
        "day alone": mailscope("report", "--tz", "UTC", names[-1]),
        "day with history": mailscope("report", "--tz", "UTC", "--period", f"day:{last}", *names),
        "all days": mailscope("report", "--tz", "UTC", *names),
    }
    runs = bench.compare(part, commands)
    findings = costs(part, "day alone", runs["day alone"], bench.lines)
    for name in ("day with history", "all days"):
        longer = ratio(runs[name], runs["day alone"])
        more = max(run.peak_mb for run in runs[name]) / max(run.peak_mb for run in runs["day alone"])
        findings += costs(part, f"{name} ({bench.days})", runs[name], bench.lines * bench.days)
        findings.append(Finding(part, f"{name}: times as long as one day", str(longer)))
        findings.append(Finding(part, f"{name}: times as much memory", f"{more:.3g}"))
    return findings


def receiver(bench: Bench) -> list[Finding]:
    """Receive 20,000 syslog messages a second over TCP and UDP, sent by another process."""
    part, count = "receiver", min(bench.lines, PER_SECOND * 10)
    findings = []
    loads: tuple[tuple[Transport, int], ...] = (("tcp", 1), ("tcp", 1000), ("udp", 1))
    for transport, connections in loads:
        bench.say(f"{part}: {transport}, {connections} senders")
        name = transport if connections == 1 else f"{transport} over {connections} connections"
        load = receive(transport, count, connections=connections)
        lost = count - len(load.lines)
        # UDP may lose; it must say so.
        well = not lost if transport == "tcp" else lost == load.lost
        goal = "none" if transport == "tcp" else "all counted"
        findings += [
            Finding(part, f"{name}: messages a second", f"{count / load.seconds:,.0f}"),
            Finding(part, f"{name}: lost of {count:,}", f"{lost:,} ({load.lost:,} counted)", goal, well),
            Finding(part, f"{name}: of one processor", f"{load.cpu_share:.0%}"),
            Finding(part, f"{name}: peak MB", f"{load.peak_mb:.0f}"),
        ]
    return findings


def costs(part: str, name: str, runs: list[Run], lines: int) -> list[Finding]:
    """Say how fast and how big the runs of one command were."""
    wall = Spread.of(list(walls(runs)))
    cpu = Spread.of([run.cpu_s for run in runs])
    peak = max(run.peak_mb for run in runs)
    ours = not name.startswith("pflogsumm")
    return [
        Finding(part, f"{name}: seconds", str(wall)),
        Finding(part, f"{name}: seconds of processor", str(cpu)),
        Finding(part, f"{name}: lines per second", f"{lines / wall.middle:,.0f}"),
        Finding(
            part, f"{name}: peak MB", f"{peak:.0f}", "under 600" if ours else "", peak < 600 if ours else None
        ),
    ]


PARTS: dict[str, Callable[[Bench], list[Finding]]] = {
    "pflogsumm": against_pflogsumm,
    "pflogsumm-compat": the_same_text,
    "size": many_times_the_size,
    "gzip": compressed_input,
    "mixed": mixed_log,
    "patterns": more_patterns,
    "threads": one_thread_or_two,
    "small": small_log,
    "trace": trace,
    "month": month,
    "receiver": receiver,
}
