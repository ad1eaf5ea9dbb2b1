"""Which addresses the app may speak to: what people type must not reach into the private network."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_METADATA = frozenset({ip_address("168.63.129.16"), ip_address("192.0.0.192")})
"""What clouds tell their machines at addresses that count as public; their other ones do not."""
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Allowed:
    """What OUTGOING_ALLOW opens: names of hosts, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[object, ...] = ()

    def opens(self, host: str, address: Address) -> bool:
        """True when the setting names the host, or a network that holds the address."""
        plain = _plain(address)
        return host.lower().rstrip(".") in self.hosts or any(plain in network for network in self.networks)  # type: ignore[operator]


def parse(setting: str) -> Allowed:
    """'hooks.internal, 10.1.0.0/16' as what it opens. ValueError with a sentence for what is neither."""
    hosts, networks = set(), []
    for part in filter(None, (part.strip().lower() for part in setting.split(","))):
        try:
            networks.append(ip_network(part, strict=False))
            continue
        except ValueError:
            pass
        if "/" in part or not all(piece and piece.replace("-", "").isalnum() for piece in part.rstrip(".").split(".")):
            raise ValueError(f"OUTGOING_ALLOW has '{part}', which is neither a host nor a network such as 10.1.0.0/16.")
        hosts.add(part.rstrip("."))
    return Allowed(frozenset(hosts), tuple(networks))


def is_public(address: Address) -> bool:
    """False for private, loopback, link-local, multicast, unspecified, reserved and metadata addresses.

    An IPv6 address that stands for an IPv4 address (mapped, 6to4, Teredo, NAT64) is what that one is.
    """
    plain = _plain(address)
    site_local = isinstance(plain, IPv6Address) and plain.is_site_local
    return plain.is_global and not plain.is_multicast and not site_local and plain not in _METADATA


def may_connect(host: str, address: str, allowed: Allowed) -> bool:
    """True when a connection to `host` that leads to `address` may be made."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return is_public(found) or allowed.opens(host, found)


def _plain(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    for inner in _inner(address):
        if inner is not None:
            return inner
    return address


def _inner(address: IPv6Address) -> Iterable[IPv4Address | None]:
    yield address.ipv4_mapped
    yield address.sixtofour
    yield address.teredo[1] if address.teredo else None
