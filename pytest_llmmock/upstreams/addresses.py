"""Where a login may be sent: over https, or to this machine."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..core.model import without_user
from ..errors import UsageError

SIGN_IN_PATIENCE = 30.0
"""Seconds for which a sign-in server is waited for: others may wait for the login meanwhile."""

_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


def address(environ: Mapping[str, str], variable: str, usual: str) -> str:
    """What a variable says, or the usual address, without a slash at the end. Raises `UsageError`."""
    url = (environ.get(variable) or usual).rstrip("/")
    if not is_safe(url):
        raise UsageError(
            f"{variable}={without_user(url)}: a login is only sent to an https address, or over http to this machine "
            "(127.0.0.1, localhost)."
        )
    if url.startswith("http:") and _is_proxied(url, environ):
        raise UsageError(
            f"{variable}={without_user(url)}: a proxy of the environment would get the login, over plain http. "
            "Set NO_PROXY=127.0.0.1,localhost."
        )
    return url


def is_safe(url: str) -> bool:
    """Whether nobody on the way to this address can read along."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.query or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_proxied(url: str, environ: Mapping[str, str]) -> bool:
    direct = ",".join(environ.get(name, "") for name in ("no_proxy", "NO_PROXY"))
    hosts = {host.strip() for host in direct.split(",")}
    return any(environ.get(name) for name in _PROXIES) and hosts.isdisjoint({"*", urlsplit(url).hostname})
