"""qmail: tcpserver and rblsmtpd at the door, qmail-send behind it (qmail 1.03, ucspi-tcp 0.88)."""

from __future__ import annotations

from dataclasses import dataclass

from mailscope.demo.outside import Outside
from mailscope.demo.places import OWN_IP
from mailscope.demo.plan import DAY, FQDN, SECOND
from mailscope.demo.world import World

DELIVERIES, SMTPD = "qmail-send/current", "qmail-smtpd/current"
LOCAL_LIMIT, REMOTE_LIMIT = 10, 20
GREY = (
    "deferral: {ip}_does_not_like_recipient./Remote_host_said:_450_4.2.0_Greylisted,_please_try_again/"
    "Giving_up_on_{ip}./"
)
REFUSED = (
    "failure: {ip}_does_not_like_recipient./Remote_host_said:_550_5.1.1_User_unknown/Giving_up_on_{ip}./"
)
TAKEN = "success: {ip}_accepted_message./Remote_host_said:_250_2.0.0_Ok:_queued_as_{queued:X}/"
NOBODY = "failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/"
NOT_REACHED = "deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/"


@dataclass
class Message:
    """A message in qmail's queue; its number is an inode, used again at once."""

    number: int
    size: int
    sender: str
    pending: list[str]
    arrived: int
    tries: int = 0
    failed: bool = False


class Qmail:
    """The queue and the door."""

    def __init__(self, world: World, outside: Outside, domain: str) -> None:
        self.world = world
        self.outside = outside
        self.domain = domain
        self._clients = self._delivery = self._local = self._remote = 0

    def connection(self, ip: str, start: int, status: int = 0, *, lasts: int = SECOND) -> int:
        """Log a connection with tcpserver; returns the process."""
        world, pid = self.world, self.world.pid()
        self._clients += 1
        say = self._door
        say(start, f"status: {self._clients}/40")
        say(start + 90, f"pid {pid} from {ip}")
        say(start + 900, f"ok {pid} {FQDN}:{OWN_IP}:25 :{ip}::{world.between(1024, 65_000)}")
        world.at(start + lasts, lambda: self._close(pid, status))
        return pid

    def _door(self, time: int, text: str, program: str = "tcpserver") -> None:
        self.world.log(time, f"{program}: ", text, SMTPD)

    def _close(self, pid: int, status: int) -> None:
        self._clients -= 1
        self._door(self.world.now, f"end {pid} status {status}")
        self._door(self.world.now + 40, f"status: {self._clients}/40")

    def turn_away(self, ip: str) -> None:
        """Refuse a client that a list knows."""
        pid = self.connection(ip, self.world.now, lasts=3 * SECOND)
        text = f"{ip} pid {pid}: 451 https://bl.robots.example/query/ip/{ip}"
        self._door(self.world.now + SECOND, text, "rblsmtpd")

    def receive(self, sender: str, to: list[str], ip: str = "") -> None:
        """Take a message over SMTP, now."""
        world = self.world
        if not ip:
            site = self.outside.by_name[sender.rpartition("@")[2]]
            ip = world.draw(site.servers)[1]
        self.connection(ip, world.now, lasts=2 * SECOND)
        world.at(world.now + SECOND, lambda: self._queue(sender, to, 1003))

    def inject(self, sender: str, to: list[str]) -> None:
        """Take a message from a program on this host, now."""
        self._queue(sender, to, 0)

    def _say(self, time: int, text: str) -> None:
        self.world.log(time, "", text, DELIVERIES)

    def _status(self, time: int) -> None:
        self._say(time, f"status: local {self._local}/{LOCAL_LIMIT} remote {self._remote}/{REMOTE_LIMIT}")

    def _queue(self, sender: str, to: list[str], uid: int) -> None:
        world, now = self.world, self.world.now
        size = 800 + int(min(world.rng.lognormvariate(8.4, 1.2), 9_000_000))
        message = Message(world.inodes.take(now), size, sender, to, now)
        self._say(now, f"new msg {message.number}")
        self._say(
            now + 30, f"info msg {message.number}: bytes {size} from <{sender}> qp {world.pid()} uid {uid}"
        )
        self._try(message)

    def _try(self, message: Message) -> None:
        message.tries += 1
        pending, message.pending = message.pending, []
        ended = self.world.now + 400
        for recipient in pending:
            ended = self._deliver(message, recipient, ended)
        self.world.at(ended + 500, lambda: self._finish(message))

    def _deliver(self, message: Message, recipient: str, time: int) -> int:
        """Start one delivery after the other, as a host does that has little to do; returns when it ended."""
        self._delivery += 1
        number, local = self._delivery, recipient.rpartition("@")[2].endswith(self.domain)
        channel = "local" if local else "remote"
        address = f"{self.domain}-{recipient}" if local else recipient
        self._say(time, f"starting delivery {number}: msg {message.number} to {channel} {address}")
        self._count(channel, 1)
        self._status(time + 40)
        report = self._report(message, recipient, local)
        time += self.world.between(9000, 90_000) if local else self.world.between(SECOND // 3, 4 * SECOND)
        if report.startswith("deferral"):
            message.pending.append(recipient)
        message.failed |= report.startswith("failure")
        self._say(time, f"delivery {number}: {report}")
        self._count(channel, -1)
        self._status(time + 40)
        return time + 200

    def _count(self, channel: str, change: int) -> None:
        if channel == "local":
            self._local += change
        else:
            self._remote += change

    def _report(self, message: Message, recipient: str, local: bool) -> str:
        world = self.world
        if local:
            return NOBODY if recipient.startswith("gone") else "success: did_0+0+1/"
        site = self.outside.by_name.get(recipient.rpartition("@")[2])
        if site is None or site.behaviour == "dead":
            return NOT_REACHED
        ip, dice = site.servers[0][1], world.chance()
        if site.behaviour == "grey" and message.tries == 1 and dice < 0.6:
            return GREY.format(ip=ip)
        if dice < 0.015:
            return REFUSED.format(ip=ip)
        return TAKEN.format(ip=ip, queued=world.rng.getrandbits(44))

    def _finish(self, message: Message) -> None:
        world, now = self.world, self.world.now
        age = now - message.arrived
        if message.pending and age < 7 * DAY:
            # qmail's schedule: the next try is at (sqrt(age) + 20 s)^2 for remote recipients.
            wait = int(((age / SECOND) ** 0.5 + 20) ** 2 * SECOND) - age
            world.at(now + wait, lambda: self._try(message))
            return
        if message.failed and message.sender:
            self._say(now, f"bounce msg {message.number} qp {world.pid()}")
        self._say(now + 60, f"end msg {message.number}")
        world.inodes.give_back(message.number, now)
        if message.failed and message.sender:
            world.at(now + 20_000, lambda: self._queue("", [message.sender], 1005))
