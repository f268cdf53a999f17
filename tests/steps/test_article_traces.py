"""The fragments of strace's output in the article on following Postfix's queue tell what the article says."""

from __future__ import annotations

from pathlib import Path

import pytest
from ways import brief, told, told_of

# As the article has them: strace 4 of 2011, queue ids partly taken out by who published it.
SENDMAIL = """\
2791  execve("/bin/mail", ["mail", "-s", "test", "root@example.org"], [/* 22 vars */]) = 0
2792  execve("/usr/sbin/sendmail", ["send-mail", "-i", "root@example.org"], [/* 22 vars */]) = 0
2793  execve("/usr/sbin/postdrop", ["/usr/sbin/postdrop", "-r"], [/* 2 vars */]) = 0
2793\u00a0 open("maildrop/", O_RDWR|O_CREAT|O_EXCL|O_LARGEFILE, 0644) = 4
2793  open("public/pickup", O_WRONLY|O_NONBLOCK|O_LARGEFILE) = 4
"""
PICKUP = r"""
3246  alarm(6000)                       = 5975
3246  epoll_wait(8, {{EPOLLIN, {u32=6, u64=15683691556634630}}}, 100, 75000) = 1
3246  read(6, "W", 1024)                = 1
3246  open("maildrop", O_RDONLY|O_NONBLOCK|O_LARGEFILE|O_DIRECTORY|O_CLOEXEC) = 9
3246  lstat64("maildrop/7C3EA163C51", {st_mode=S_IFREG|0744, st_size=277, ...}) = 0
3246  open("maildrop/7C3EA163C51", O_RDONLY|O_NONBLOCK|O_LARGEFILE) = 10
3246  socket(PF_FILE, SOCK_STREAM, 0)   = 11
#a note
3246  connect(11, {sa_family=AF_FILE, path="public/cleanup"}, 110) = 0
3246  read(11, "queue_id\00084E5D163C55\0\0", 4096) = 22
3246  read(10, "T\0221310341028 508906A\25rewrite_con"..., 4096) = 277
3246  send(7, "<22>Jul 11 07:37:08 postfix/pick"..., 74, MSG_NOSIGNAL) = 74
3246  _llseek(10, 0, [277], SEEK_END)   = 0
3246  write(11, "flags\000115\0\0T\0221310341028 508906A\25"..., 398) = 398
3246  read(11, "status\0000\0reason\0\0\0", 4096) = 18
3246  close(10)                         = 0
3246  close(11)                         = 0
3246  unlink("maildrop/7C3EA163C51")    = 0
"""
DEFERRED = """\
1439  connect(10, {sa_family=AF_FILE, path="private/smtp"}, 110) = 0
1439  rename("active/34E40163C55", "deferred/3/34E40163C55") = 0
"""
LOCALLY = """\
2718  execve("/usr/libexec/postfix/smtpd", ["smtpd", "-n", "smtp", "-t", "inet", "-u"], [/* 4 vars */]) = 0
2719  execve("/usr/libexec/postfix/proxymap", ["proxymap", "-t", "unix", "-u"], [/* 4 vars */]) = 0
2721  execve("/usr/libexec/postfix/trivial-rewrite", ["trivial-rewrite", "-n", "rewrite", "-t", "unix"], [/**/]) = 0
2722  execve("/usr/libexec/postfix/cleanup", ["cleanup", "-z", "-t", "unix", "-u"], [/* 4 vars */]) = 0
2723  execve("/usr/libexec/postfix/local", ["local", "-t", "unix"], [/* 4 vars */]) = 0
"""
ARTICLE = Path(__file__).parents[3] / "shared" / "articles" / "postfix-queue-tracing-zh.txt"


def acts(text: str, place: Path) -> list[str]:
    (way,) = told_of(text, place / "trace").ways
    return [brief(act) for act in way.acts]


def test_from_mail_to_maildrop(tmp_path: Path) -> None:
    assert acts(SENDMAIL, tmp_path) == [
        "mail: begins",
        "mail > sendmail: starts sendmail: takes mail from programs of this host",
        "sendmail > postdrop: starts postdrop: writes local mail into the maildrop queue",
        "postdrop: makes a file in maildrop",
        "postdrop > pickup: says that mail is in maildrop (public/pickup)",
    ]


def test_from_maildrop_to_cleanup(tmp_path: Path) -> None:
    found = told_of(PICKUP, tmp_path / "trace")
    (way,) = found.ways
    assert [brief(act) for act in way.acts] == [
        "pickup: opens maildrop/7C3EA163C51",
        "pickup > cleanup: gives it the message (public/cleanup)",
        "cleanup > pickup: gives it the queue id 84E5D163C55",
        "cleanup > pickup: answers: all went well",
        "pickup: removes maildrop/7C3EA163C51",
    ]
    assert way.queue_ids == ["7C3EA163C51", "84E5D163C55"]
    # The note is none of strace's lines.
    assert (found.damaged, found.where) == (1, [(str(tmp_path / "trace"), [9])])


def test_without_dns_it_is_deferred(tmp_path: Path) -> None:
    found = told_of(DEFERRED, tmp_path / "trace")
    (way,) = found.ways
    assert [brief(act) for act in way.acts] == [
        "qmgr > smtp: hands the message out for delivery (private/smtp)",
        "qmgr: moves the file from active/34E40163C55 to deferred/3/34E40163C55",
    ]
    # No line says that the connection was for this message; nothing speaks for another.
    assert [act.sure for act in way.acts] == [False, True]
    assert [stay.queue for stay in way.stays] == ["active", "deferred"]


def test_a_name_in_the_incoming_queue(tmp_path: Path) -> None:
    text = 'rename("incoming/", "incoming/AE07E163C55") = 0\n'
    assert acts(text, tmp_path) == ["cleanup: makes the queue file incoming/AE07E163C55"]


def test_where_only_programs_are_seen_they_are_told(tmp_path: Path) -> None:
    found = told_of(LOCALLY, tmp_path / "trace")
    (way,) = found.ways
    assert way.notes == ["no file of a queue is seen in it: this is what its programs did"]
    assert [brief(act).partition(":")[0] for act in way.acts] == [
        "master > smtpd", "master > proxymap", "master > trivial-rewrite", "master > cleanup", "master > local",
    ]  # fmt: skip
    assert str(way.acts[-1].words) == "starts local: delivers to mailboxes of this host"


@pytest.mark.skipif(not ARTICLE.exists(), reason="the articles are not here")
def test_the_article_as_a_whole() -> None:
    found = told(ARTICLE)
    ids = [queue_id for way in found.ways for queue_id in way.queue_ids]
    assert {"7C3EA163C51", "84E5D163C55", "AE07E163C55", "34E40163C55", "AE33C55", "9A428163C56"} == set(ids)
    deferred = next(way for way in found.ways if "34E40163C55" in way.queue_ids)
    assert next(brief(act) for act in deferred.acts).startswith("qmgr > smtp: hands the message out")
    assert 0 < found.damaged < found.lines
