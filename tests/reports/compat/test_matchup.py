"""matchup: what each kind of line does, what is pending, and stamps."""

from __future__ import annotations

from random import Random

import pytest
from analog import GOLDEN, log, match

from mailscope.reports.compat.qmailanalog.matchup import Matchup, seconds, unsigned

INFO = b"1.0 info msg 7: bytes 298 from <Anna@Example.ORG> qp 32 uid 1007\n"
STARTING = b"2.0 starting delivery 1: msg 7 to remote Bob@Example.NET\n"


def test_a_message_from_birth_to_end() -> None:
    out, pending = match(INFO + STARTING + b"3.5 delivery 1: success: ok/\n4.0 end msg 7\n")
    assert out == (
        b"d k 1.0 2.0 3.5 298 <anna@example.org> remote.bob@example.net 32 1007 ok/\n"
        b"m 1.0 4.0 298 1 0 0 <anna@example.org> 32 1007\n"
    )
    assert pending == b""


def test_failures_stand_before_deferrals_in_the_output_and_after_them_in_the_state() -> None:
    lines = (
        INFO
        + STARTING
        + b"3 delivery 1: failure: no/\n"
        + STARTING
        + b"4 delivery 1: report mangled, will defer\n"
    )
    lines += STARTING + b"4 delivery 1: deferral: later/\n"
    out, pending = match(lines)
    assert b" report_mangled\n" in out
    assert pending.endswith(b"1.0 extra 7 0 2 1\n")
    assert match(pending + b"5 end msg 7\n")[0] == b"m 1.0 5 298 0 1 2 <anna@example.org> 32 1007\n"


def test_a_delivery_of_an_unknown_message() -> None:
    out, _ = match(STARTING + b"3.5 delivery 1: deferral: \n")
    assert out == b"d z 2.0 2.0 3.5 0 ? remote.bob@example.net ? ? \n"


def test_lines_of_no_known_form_are_marked() -> None:
    odd = b"1.0 bounce msg 7 qp 8\ncaf\xe9 \xff\xfe\n\n1.0\n"
    assert match(odd)[0] == b"? 1.0 bounce msg 7 qp 8\n? caf\xe9 \xff\xfe\n? \n? 1.0\n"


def test_warnings_pass_and_status_does_not() -> None:
    warning, alert = b"1.0 warning: trouble in select\n", b"1.0 alert: out of memory, sleeping...\n"
    assert match(warning + b"1.0 status: local 0/10 remote 0/20\n" + alert)[0] == warning + alert


@pytest.mark.parametrize("word", [b"running", b"exiting"])
def test_a_restart_forgets_deliveries_but_not_messages(word: bytes) -> None:
    out, pending = match(INFO + STARTING + b"3.0 %b\n4.0 delivery 1: success: ok/\n" % word)
    assert out == b""
    assert pending.startswith(b"1.0 info msg 7: bytes 298 from <anna@example.org> qp 32 uid 1007\n")
    assert b"starting" not in pending


def test_a_number_used_again_is_a_new_message() -> None:
    assert match(INFO + b"2.0 new msg 7\n3.0 end msg 7\n") == (b"", b"")


def test_an_unknown_result_is_marked_as_the_original_does() -> None:
    assert (
        match(STARTING + b"3.0 delivery 1: what: ever\n")[0]
        == b"?2.0 2.0 3.0 0 ? remote.bob@example.net ? ? \n"
    )


def test_tai64n_becomes_seconds() -> None:
    label = b"@400000006b02667116b8ef6c"
    assert seconds(label) == b"1795319399.381218668"
    # multilog's clock runs 10 s ahead of UTC.
    assert seconds(b"@400000000000000a00000001") == b"0.000000001"
    for damaged in (
        b"@4000",
        b"@400000006b02667116b8ef6",
        b"@zz",
        b"@000000000000000000000000",
        b"12.5",
        b"",
    ):
        assert seconds(damaged) == damaged
    assert match(label + INFO[3:])[1].startswith(b"1795319399.381218668 info msg 7")


def test_numbers_are_those_of_an_unsigned_long() -> None:
    assert [unsigned(text) for text in (b"12:", b"", b"x", b"+5", b"1_0", b"18446744073709551617")] == [
        12,
        0,
        0,
        0,
        1,
        1,
    ]


def test_cut_anywhere_the_output_is_the_same() -> None:
    for name in ("input.frac", "input-splogger.frac"):
        data = (GOLDEN / name).read_bytes()
        whole, end = match(data)
        for cut in (0, 1, 400, 5_000, 5_003, len(data) // 2, len(data) - 1):
            first, pending = match(data[:cut])
            second, last = match(pending + data[cut:])
            assert first + second == whole
            # The order of what is pending follows the places in the tables; the set is the same.
            assert sorted(last.split(b"\n")) == sorted(end.split(b"\n"))


def test_blocks_are_no_borders() -> None:
    data = log(Random(7), 500)
    whole, pending = match(data)
    state = Matchup()
    lines = (
        data.splitlines(keepends=True)
        if b"\r" not in data
        else [line + b"\n" for line in data.split(b"\n")[:-1]]
    )
    assert b"".join(state.read(line) for line in lines) == whole
    assert state.pending() == pending
