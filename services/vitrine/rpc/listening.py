"""Where a server listens, in writing, and why it cannot."""

import errno
import ipaddress
import socket


def bare(host: str) -> str:
    """The host without the brackets of an IPv6 address."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def authority(host: str, port: int) -> str:
    """Host and port as one text; an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
    host = bare(host)
    try:
        return f"[{host}]:{port}" if ipaddress.ip_address(host).version == 6 else f"{host}:{port}"
    except ValueError:
        return f"{host}:{port}"


def probe(host: str, port: int) -> OSError | None:
    """What the system says to listening there; ``None`` when it has no objection."""
    first: OSError | None = None
    try:
        found = socket.getaddrinfo(bare(host), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            try:
                with socket.socket(family, kind, protocol) as tried:
                    tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    tried.bind(address)
            except OSError as error:
                first = first or error
    except OSError as error:
        return error
    return first


def why_not(error: OSError | None, host: str, port: int, *, option: str, taken: str) -> str:
    """Says why nothing can listen there, and what to do.

    Args:
        error: What the system said.
        host: The interface.
        port: The port.
        option: The option that chooses the port.
        taken: What to say of a port that somebody else has.
    """
    host = bare(host)
    if isinstance(error, socket.gaierror):
        return f"'{host}' is no address or name that is known here; choose the interface with --host"
    number = None if error is None else error.errno
    if number == errno.EADDRINUSE:
        return taken
    if number in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
        return (
            f"this machine has no address {host}; choose one that it has with --host, "
            "such as 127.0.0.1 for callers on this machine or 0.0.0.0 for all"
        )
    if number in {errno.EACCES, errno.EPERM}:
        return (
            f"port {port} on {host} is not allowed to this user; choose another, from 1024 on, with {option}"
        )
    said = f": {error.strerror or error}" if error else ""
    return f"cannot listen on {authority(host, port)}{said}; choose another place with --host and {option}"
