"""Downloads of pictures that an answer names by URL. They are paid for: a failed download is repeated, never the call."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin

import limner

from limner_http.addresses import is_loopback, is_named_private, origin, parts_of
from limner_http.pools import is_proxied

if TYPE_CHECKING:
    from limner_http.call import Answer, Call

MAX_BYTES = 100_000_000
MAX_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
_UNSAID = {"", "application/octet-stream", "binary/octet-stream"}
"""Storage services say this of anything; the picture's own first bytes tell."""


def download(call: Call, url: object, *, max_bytes: int = MAX_BYTES) -> Answer:
    """Download a picture; neither the key nor the setting ``headers`` are sent.

    A URL must be of https, or of the endpoint's own address, or of loopback where the endpoint is on loopback. A host with a
    private address is refused unless the endpoint itself is one. Redirects are followed by the same rules.

    Args:
        call: the call that the picture belongs to; its deadline holds.
        url: a URL out of an answer, perhaps relative to the base URL.
        max_bytes: of the picture.

    Raises:
        BadResponse: the URL is not allowed, or what came is no picture or too large.
        ProviderError: of the class that fits.
    """
    if not isinstance(url, str):
        raise limner.BadResponse(
            f"the URL of the picture is {type(url).__name__}, not a text; the call may have been billed"
        )
    target = _joined(call.base_url, url)
    for _ in range(MAX_REDIRECTS + 1):
        answer = _fetch(call, target, max_bytes)
        if answer.status not in REDIRECTS:
            break
        target = _joined(target, answer.headers.get("location", ""))
    else:
        raise limner.BadResponse(f"the URL of the picture was redirected over {MAX_REDIRECTS} times")
    if not (answer.content_type.startswith("image/") or answer.content_type in _UNSAID):
        kind = answer.content_type[:60] if answer.content_type.isprintable() else "?"
        raise limner.BadResponse(f"the URL of the picture returned {kind}, not a picture; the call may have been billed")
    return answer


def _fetch(call: Call, url: str, max_bytes: int) -> Answer:
    parts = _checked(call, url)
    base = parts_of(call.base_url)
    host = parts.hostname or ""
    anywhere = origin(parts)[1] == origin(base)[1] or is_named_private(base.hostname or "")
    if not anywhere and is_named_private(host):
        raise _refused("leads to a private address")
    public = None if anywhere or is_proxied(parts, call.settings.proxy) else host
    return call.request(
        "GET", url, repeatable=True, with_key=False, public_host=public, max_bytes=max_bytes, redirects=REDIRECTS
    )


def _checked(call: Call, url: str) -> SplitResult:
    try:
        parts, base = parts_of(url), parts_of(call.base_url)
    except ValueError:
        raise _refused("is not a URL of http or https") from None
    if "@" in parts.netloc:
        raise _refused("contains a user name")
    loopback = is_loopback(parts.hostname or "") and is_loopback(base.hostname or "")
    if parts.scheme != "https" and not loopback and origin(parts) != origin(base):
        raise _refused("is not an https URL")
    return parts


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        raise _refused("is not a URL of http or https") from None


def _refused(why: str) -> limner.BadResponse:
    return limner.BadResponse(f"the URL of the picture {why}; it was not opened; the call may have been billed")
