"""Send syslog messages at a given rate: `sending.py TRANSPORT PORT COUNT PER_SECOND CONNECTIONS`.

Messages are those of a busy Postfix, of RFC 3164, each with its number at the end. Over TCP they are ended by
line feeds on the first half of the connections and counted on the others. Prints how many seconds it took.
"""

import socket
import sys
import time

SLICE_S = 0.01
LINE = (
    "<22>Nov 27 10:00:00 mx1 postfix/smtpd[{pid}]: 4B1C2D{pid:04X}: client=mail.example.org[192.0.2.1], "
    "sasl_method=PLAIN, sasl_username=user{pid}@example.org #{number}"
)


def messages(count: int) -> list[bytes]:
    """Give so many messages, each another one."""
    return [LINE.format(pid=1000 + number % 5000, number=number).encode() for number in range(count)]


def counted(message: bytes) -> bytes:
    """Give the message with its length before it (RFC 6587 section 3.4.1)."""
    return b"%d %s" % (len(message), message)


def send(transport: str, port: int, count: int, per_second: int, connections: int) -> float:
    """Send the messages, a hundredth of a second's share at a time; returns the seconds it took."""
    texts = messages(count)
    if transport == "udp":
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
        sockets[0].connect(("127.0.0.1", port))
    else:
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    begun = time.perf_counter()
    sent = turn = 0
    while sent < count:
        due = min(int((time.perf_counter() - begun + SLICE_S) * per_second), count)
        share = texts[sent:due]
        if transport == "udp":
            for text in share:
                sockets[0].send(text)
        elif share:
            place = turn % connections
            lines = [counted(text) if place >= connections / 2 else text + b"\n" for text in share]
            sockets[place].sendall(b"".join(lines))
        sent, turn = max(due, sent), turn + 1
        time.sleep(max(begun + sent / per_second - time.perf_counter(), 0))
    took = time.perf_counter() - begun
    for each in sockets:
        each.close()
    return took


if __name__ == "__main__":
    print(send(sys.argv[1], *(int(word) for word in sys.argv[2:])))
