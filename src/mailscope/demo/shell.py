"""The machine itself: sshd, sudo, su, cron (OpenSSH 9.2, sudo 1.9, util-linux, Debian's cron, with PAM)."""

from __future__ import annotations

from mailscope.demo.files import AUTH, SYSLOG
from mailscope.demo.plan import SECOND
from mailscope.demo.world import World

KEYS = {
    "root": "ED25519 SHA256:q0f4iYw7Xb1yFj6S5d1mM1n8hV2rTqUu0cY3oJ9kLhE",
    "admin": "ED25519 SHA256:vWGhNTPvJv1MzIvbwkFNsHgYVvOufs4riuZcJUdNTy0",
}
FOREIGN_KEY = "RSA SHA256:Zk4mR0vP2s8yQe1tB7uLx9cN6wHaJd3fGi5oTnXrEpM"
UIDS = {"root": 0, "admin": 1000, "www-data": 33, "backup": 34, "operator": 1002}


class Shell:
    """Log-ins to the machine and commands on it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _log(self, time: int, tag: str, text: str) -> None:
        self.world.log(time, tag, text, AUTH)

    def ssh(
        self, user: str, ip: str, start: int, duration: int, *, password: bool = False, key: str = ""
    ) -> None:
        """Log in over SSH, and out."""
        world = self.world
        tag = f"sshd[{world.pid()}]: "
        port = world.between(32_768, 61_000)
        how = f"Accepted password for {user} from {ip} port {port} ssh2"
        if not password:
            key = key or KEYS.get(user, FOREIGN_KEY)
            how = f"Accepted publickey for {user} from {ip} port {port} ssh2: {key}"
        self._log(start, tag, how)
        uid = UIDS.get(user, 1001)
        self._log(
            start + 9000, tag, f"pam_unix(sshd:session): session opened for user {user}(uid={uid}) by (uid=0)"
        )
        end = start + duration
        world.at(end, lambda: self._leave(end, tag, user, ip, port))

    def _leave(self, end: int, tag: str, user: str, ip: str, port: int) -> None:
        self._log(end, tag, f"Received disconnect from {ip} port {port}:11: disconnected by user")
        self._log(end + 40, tag, f"Disconnected from user {user} {ip} port {port}")
        self._log(end + 900, tag, f"pam_unix(sshd:session): session closed for user {user}")

    def guess(self, user: str, ip: str, start: int, tries: int = 1) -> int:
        """Guess a password of an account, there or not; returns when that ended."""
        world = self.world
        tag, port, time = f"sshd[{world.pid()}]: ", world.between(32_768, 61_000), start
        known = user in UIDS
        who = user if known else f"invalid user {user}"
        if not known:
            self._log(time, tag, f"Invalid user {user} from {ip} port {port}")
        for number in range(tries):
            time += world.between(SECOND // 2, 2 * SECOND)
            if number == 0:
                if not known:
                    self._log(time, tag, "pam_unix(sshd:auth): check pass; user unknown")
                suffix = f"  user={user}" if known else ""
                text = f"authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}{suffix}"
                self._log(time + 40, tag, f"pam_unix(sshd:auth): {text}")
            time += world.between(SECOND, 2 * SECOND)
            self._log(time, tag, f"Failed password for {who} from {ip} port {port} ssh2")
        time += world.between(SECOND // 10, SECOND)
        kind = "authenticating user" if known else "invalid user"
        self._log(time, tag, f"Connection closed by {kind} {user} {ip} port {port} [preauth]")
        return time

    def look(self, ip: str, start: int) -> None:
        """Let a scanner connect and go."""
        world = self.world
        tag, port = f"sshd[{world.pid()}]: ", world.between(32_768, 61_000)
        if world.chance() < 0.5:
            self._log(start, tag, f"Connection closed by {ip} port {port}")
        elif world.chance() < 0.5:
            self._log(start, tag, "error: kex_exchange_identification: Connection closed by remote host")
            self._log(start + 30, tag, f"Connection closed by {ip} port {port}")
        else:
            self._log(start, tag, f"banner exchange: Connection from {ip} port {port}: invalid format")

    def sudo(self, user: str, command: str, time: int, terminal: str = "pts/0") -> None:
        """Run a command as root."""
        tag, uid = "sudo: ", UIDS.get(user, 1001)
        self._log(time, tag, f"{user:>8} : TTY={terminal} ; PWD=/home/{user} ; USER=root ; COMMAND={command}")
        by = f"by {user}(uid={uid})"
        self._log(time + 700, tag, f"pam_unix(sudo:session): session opened for user root(uid=0) {by}")
        end = self.world.between(time + SECOND // 5, time + 9 * SECOND)
        self._log(end, tag, "pam_unix(sudo:session): session closed for user root")

    def sudo_fail(self, user: str, attempts: int, command: str, time: int, *, listed: bool = True) -> None:
        """Refuse sudo: wrong passwords, or a user who may not."""
        tag, uid = "sudo: ", UIDS.get(user, 1001)
        tail = f"TTY=pts/1 ; PWD=/home/{user} ; USER=root ; COMMAND={command}"
        if listed:
            self._log(time, tag, f"pam_unix(sudo:auth): {refused(user, uid, user)}")
            word = "attempt" if attempts == 1 else "attempts"
            tail = f"{attempts} incorrect password {word} ; {tail}"
            time += attempts * 4 * SECOND
        else:
            tail = f"user NOT in sudoers ; {tail}"
        self._log(time, tag, f"{user:>8} : {tail}")

    def su_fail(self, user: str, time: int) -> None:
        """Refuse su to root."""
        tag, uid = f"su[{self.world.pid()}]: ", UIDS.get(user, 1001)
        self._log(time, tag, f"pam_unix(su:auth): {refused(user, uid, 'root')}")
        self._log(time + 2 * SECOND, tag, f"FAILED SU (to root) {user} on pts/1")

    def cron(self, user: str, command: str, time: int) -> int:
        """Run a job; returns when it ended."""
        pid = self.world.pid()
        uid = UIDS.get(user, 1001)
        tag = f"CRON[{pid}]: "
        opened = f"pam_unix(cron:session): session opened for user {user}(uid={uid}) by (uid=0)"
        self._log(time, tag, opened)
        self.world.log(time + 2000, f"CRON[{pid + 1}]: ", f"({user}) CMD ({command})", SYSLOG)
        end = self.world.between(time + SECOND // 4, time + 5 * SECOND)
        self._log(end, tag, f"pam_unix(cron:session): session closed for user {user}")
        return end


def refused(user: str, uid: int, target: str) -> str:
    """Word a failure as pam_unix does for a user at a terminal."""
    who = f"logname={user} uid={uid} euid=0 tty=/dev/pts/1 ruser={user} rhost="
    return f"authentication failure; {who}  user={target}"
