# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed addresses: object storage for upload parts, CDN for files. Shapes as Amazon's, the signature is our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from .errors import StorageRefusal


def expired(path: str) -> StorageRefusal:
    """What a signed address says after its time: object storage why, the CDN no more than to a wrong signature."""
    if path.startswith("/storage/"):
        return StorageRefusal(403, "AccessDenied", "Request has expired")
    return StorageRefusal()


class Signer:
    """Signs and checks with a secret of its own, new in every stand-in. Any thread."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._key_pair = "K" + secrets.token_hex(7).upper()

    def part_query(self, path: str, lifetime: float) -> str:
        """The query of a presigned PUT address."""
        expires = f"{time.time() + lifetime:.3f}"
        return urlencode({"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Expires": expires,
                          "X-Amz-SignedHeaders": "host", "X-Amz-Signature": self._sign(f"PUT {path} {expires}")})

    def check_part(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Raise `StorageRefusal` 403 for an Authorization header, a wrong signature or an expired address."""
        self._refuse_authorization(headers)
        expires = query.get("X-Amz-Expires", "")
        wanted = self._sign(f"PUT {path} {expires}")
        if not hmac.compare_digest(query.get("X-Amz-Signature", "").encode(), wanted.encode()):
            raise StorageRefusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        if time.time() > float(expires):
            raise expired(path)

    def cdn_query(self, path: str, lifetime: float) -> str:
        """Policy, Signature and Key-Pair-Id of a CDN address."""
        policy = json.dumps({"Statement": [{"Resource": path, "Condition": {
            "DateLessThan": {"AWS:EpochTime": round(time.time() + lifetime, 3)}}}]}, separators=(",", ":"))
        encoded = base64.urlsafe_b64encode(policy.encode()).decode().rstrip("=")
        return urlencode({"Policy": encoded, "Signature": self._sign(encoded), "Key-Pair-Id": self._key_pair})

    def check_cdn(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Raise `StorageRefusal` 403 unless the query is whole, signed for this path, and not expired."""
        self._refuse_authorization(headers)
        if set(query) != {"Policy", "Signature", "Key-Pair-Id"} or query["Key-Pair-Id"] != self._key_pair:
            raise StorageRefusal()
        encoded = query["Policy"]
        if not hmac.compare_digest(query["Signature"].encode(), self._sign(encoded).encode()):
            raise StorageRefusal()
        statement = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))["Statement"][0]
        if statement["Resource"] != path:
            raise StorageRefusal()
        if time.time() > statement["Condition"]["DateLessThan"]["AWS:EpochTime"]:
            raise expired(path)

    @staticmethod
    def _refuse_authorization(headers: Mapping[str, str]) -> None:
        if "authorization" in headers:
            raise StorageRefusal(403, "AccessDenied", "An Authorization header does not belong here")

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
