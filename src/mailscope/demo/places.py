"""Where addresses are: a made-up world in ranges that are no one's.

RFC 5737 (documentation), RFC 6598 (shared, for people's providers), RFC 1918 (for other sites' mail servers)
and RFC 2544 (benchmarks, for robots).
"""

from __future__ import annotations

from pathlib import Path
from random import Random

OWN_IP = "192.0.2.25"
OFFICE_IP = "192.0.2.130"
BACKUP_IP = "192.0.2.40"
MONITOR_IP = "192.0.2.50"
ADMIN_VPN = "192.0.2.2"
HOME_COUNTRY = "IT"

HOME_NETWORKS = ("100.64", "100.65", "100.66")
MOBILE_NETWORKS = ("100.72", "100.73")
ABROAD = {"DE": 80, "FR": 81, "ES": 82, "GB": 83, "US": 84, "SE": 85, "CH": 86, "JP": 87}
SERVER_NETWORKS = {"US": 10, "IT": 20, "DE": 30, "FR": 31, "NL": 40, "GB": 41, "IE": 42}
HOSTING = {"198.51.100": "NL", "203.0.113": "RU"}
ROBOT_COUNTRIES = (
    "BR",
    "VN",
    "IN",
    "ID",
    "RU",
    "CN",
    "US",
    "TR",
    "AR",
    "UA",
    "TH",
    "MX",
    "PK",
    "EG",
    "KR",
    "IR",
)


def countries() -> list[tuple[str, str]]:
    """Give each network with its country."""
    table = [("192.0.2.0/24", HOME_COUNTRY)]
    table += [(f"{network}.0.0/16", HOME_COUNTRY) for network in (*HOME_NETWORKS, *MOBILE_NETWORKS)]
    for country, number in ABROAD.items():
        table += [(f"100.{number}.0.0/16", country), (f"100.{number + 16}.0.0/16", country)]
    table += [(f"10.{number}.0.0/16", country) for country, number in SERVER_NETWORKS.items()]
    table += [(f"{network}.0/24", country) for network, country in HOSTING.items()]
    for number, country in enumerate(ROBOT_COUNTRIES):
        table.append((f"198.{18 + number // 8}.{number % 8 * 32}.0/19", country))
    return table


def write_countries(path: Path) -> None:
    """Write the table as CSV: network, country."""
    path.write_text("network,country\n" + "".join(f"{network},{name}\n" for network, name in countries()))


def home_ip(rng: Random) -> str:
    """Draw an address of a home's provider."""
    return f"{rng.choice(HOME_NETWORKS)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def mobile_ip(network: str, rng: Random) -> str:
    """Draw one of the few addresses that a mobile network shares among its customers."""
    return f"{network}.{rng.randrange(4)}.{rng.randrange(1, 60)}"


def roaming_ip(country: str, rng: Random) -> str:
    """Draw an address of a mobile network abroad."""
    return mobile_ip(f"100.{ABROAD[country]}", rng)


def hotel_ip(country: str, rng: Random) -> str:
    """Draw an address of a line abroad."""
    return f"100.{ABROAD[country] + 16}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def robot_ip(rng: Random) -> str:
    """Draw an address of a machine somewhere that is no longer its owner's."""
    return f"198.{rng.choice((18, 19))}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def hosting_ip(rng: Random) -> str:
    """Draw an address of a rented machine."""
    return f"{rng.choice(tuple(HOSTING))}.{rng.randrange(1, 255)}"


def client_name(ip: str) -> str:
    """Name a client as smtpd does: `name[address]`, or `unknown[address]` where it has no name."""
    dashed = ip.replace(".", "-")
    first = ip.split(".")
    if ip == OFFICE_IP:
        return f"office.example.org[{ip}]"
    if ip.startswith("192.0.2."):
        return f"host{first[3]}.example.org[{ip}]"
    if f"{first[0]}.{first[1]}" in HOME_NETWORKS:
        return f"host-{dashed}.isp{first[1]}.example[{ip}]"
    if first[0] == "100":
        return f"{dashed}.mobile{first[1]}.example[{ip}]" if int(first[1]) < 96 else f"unknown[{ip}]"
    if first[0] == "198" and int(first[3]) % 3 == 0:
        return f"static.{dashed}.robot{first[1]}.example[{ip}]"
    return f"unknown[{ip}]"
