# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes what must stay secret out of words that others wrote, before they get into an error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from . import limits

_HIDDEN: Final = "[hidden]"
_URL_QUERY: Final = re.compile(r"(?i)(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*")
_URL_USER: Final = re.compile(r"(?i)(https?://)[^\s/@\"'<>]+@")
# A signature also comes without its URL, e.g. in the XML that a storage service answers.
_SIGNATURE: Final = re.compile(
    r"(?i)\b(X-Amz-[A-Za-z-]+|Policy|Signature|Key-Pair-Id|AWSAccessKeyId)\s*=\s*[^\s&\"'<>]+"
)
_AUTHORIZATION: Final = re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:basic|bearer)\s+)?[^\s\"',;<>]+")
_TOKEN: Final = re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/._~-]{20,}=*")
_SHORTEST_SECRET: Final = 4  # shorter ones are placeholders, and would turn up in ordinary words


class Hidden(str):
    """A text that shows itself where it is meant to, and not in a ``repr``: a crash reporter writes down the values of
    variables, and the headers of a request are in many."""

    __slots__ = ()

    def __repr__(self) -> str:
        return _HIDDEN


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` on one line, without `secrets`, credentials and signed queries, of bounded length."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _HIDDEN)
    text = text[: 20 * limits.REASON_CHARACTERS]  # bounds the work below; no whole secret is left to be cut in two
    text = _URL_USER.sub(r"\1", text)
    text = _URL_QUERY.sub(rf"\1?{_HIDDEN}", text)
    text = _SIGNATURE.sub(rf"\1={_HIDDEN}", text)
    text = _AUTHORIZATION.sub(rf"\1{_HIDDEN}", text)
    text = _TOKEN.sub(rf"\1 {_HIDDEN}", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) > limits.REASON_CHARACTERS:
        text = text[: limits.REASON_CHARACTERS - 1] + "…"
    return text
