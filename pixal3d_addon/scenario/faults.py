# SPDX-License-Identifier: GPL-3.0-or-later
"""From what went wrong on the wire to an error of :mod:`.errors`.

Statuses and bodies: seen on the live service by other public clients where known (400, 403, 404, 429); the bodies of
401, 402, 413 and 422 are not documented, so these go by the status. Words for credits and moderation are those that
the official Godot plugin looks for.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Iterator, Mapping
from typing import Final

from .answers import Job, string, words
from .errors import (
    ApiError,
    ConnectionLostError,
    CreditsExhaustedError,
    InvalidRequestError,
    KeyRejectedError,
    ModeratedError,
    NotFoundError,
    OfflineError,
    ParallelLimitError,
    PlanRequiredError,
    ProtocolError,
    ProxyError,
    RateLimitedError,
    ScenarioError,
    ServerError,
    ServiceTimeoutError,
    TlsError,
    TooLargeError,
    TransportError,
    UnreachableError,
)
from .retry import Fault, Outcome, asked_seconds, is_parallel_limit

_CREDITS: Final = re.compile(
    r"(?i)insufficient(?!\s+(permission|privilege|scope|right|access))|not enough (credit|creative)|out of credit|quota"
)
_MODERATED: Final = re.compile(r"(?i)moderat|nsfw|sensitive content|content policy|flagged|safety system")
_PLAN: Final = re.compile(r"(?i)\bplans?\b|upgrade|subscription|subscribe")

_TRANSPORT: Final[Mapping[Fault, type[TransportError]]] = {
    Fault.REFUSED: UnreachableError,
    Fault.UNREACHABLE: UnreachableError,
    Fault.DNS: OfflineError,
    Fault.CONNECT_TIMEOUT: ServiceTimeoutError,
    Fault.TIMEOUT: ServiceTimeoutError,
    Fault.TLS: TlsError,
    Fault.TLS_DATE: TlsError,
    Fault.TLS_NAME: TlsError,
    Fault.TLS_VERSION: TlsError,
    Fault.NOT_TLS: TlsError,
    Fault.PROXY: ProxyError,
    Fault.PROXY_LOGIN: ProxyError,
    Fault.PROXY_REFUSAL: ProxyError,
    Fault.PROXY_KIND: ProxyError,
    Fault.LOST: ConnectionLostError,
}


_NETWORK_REMEDY: Final = "Log in to the network in a web browser, or check the proxy settings, then try again."

_VERIFY_DATES: Final = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL
_VERIFY_NAMES: Final = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH
_TLS_VERSION: Final = re.compile("UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW|HANDSHAKE_FAILURE")
_NOT_TLS: Final = re.compile("WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH")
_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")
"""http.client's words for a proxy's answer to CONNECT that is not 200."""


def fault_of(error: BaseException, *, sent: bool) -> Fault:
    """Why `error` left us without an answer. It comes from requests, urllib3, http.client or the socket.

    The libraries wrap the cause in one another in ways that changed between urllib3 1.26 and 2, so all of the chain
    is looked at; by the classes' names, as importing ssl and the like would slow down Blender's start.

    :param sent: see :class:`~.retry.Outcome`.
    """
    chain = list(_chain(error))
    names = {cls.__name__ for link in chain for cls in type(link).__mro__}
    if names & {"InvalidSchema", "ProxySchemeUnknown"}:
        return Fault.PROXY_KIND
    if refusal := next(filter(None, map(_TUNNEL.search, map(str, chain))), None):
        return {"407": Fault.PROXY_LOGIN, "403": Fault.PROXY_REFUSAL}.get(refusal[1], Fault.PROXY)
    is_proxys = bool(names & {"ProxyError", "InvalidProxyURL", "InvalidURL", "LocationParseError"})
    if names & {"SSLEOFError", "SSLZeroReturnError"}:
        return Fault.PROXY if is_proxys else Fault.LOST
    if not sent and "SSLError" in names:
        fault = _tls_fault(chain, names)
        if not is_proxys or fault is Fault.NOT_TLS:  # 1.26 takes the latter for the proxy's whoever it is
            return fault
    if is_proxys:
        return Fault.PROXY
    if "gaierror" in names:
        return Fault.DNS
    if names & {"ConnectTimeout", "ConnectTimeoutError"} and "NewConnectionError" not in names:
        return Fault.CONNECT_TIMEOUT
    if any(isinstance(link, ConnectionRefusedError) for link in chain):
        return Fault.REFUSED
    if "NewConnectionError" in names or any(_is_unreachable(link) for link in chain):
        return Fault.UNREACHABLE
    if "ReadTimeoutError" in names or any(isinstance(link, TimeoutError) for link in chain):
        return Fault.TIMEOUT
    return Fault.LOST


def _tls_fault(chain: list[BaseException], names: set[str]) -> Fault:
    codes = {getattr(link, "verify_code", None) for link in chain}
    reasons = " ".join(str(getattr(link, "reason", "")) for link in chain)
    if codes.intersection(_VERIFY_DATES):
        return Fault.TLS_DATE
    if codes.intersection(_VERIFY_NAMES) or "CertificateError" in names:  # the latter from urllib3
        return Fault.TLS_NAME
    if _NOT_TLS.search(reasons):
        return Fault.NOT_TLS
    return Fault.TLS_VERSION if _TLS_VERSION.search(reasons) else Fault.TLS


def transport_error(fault: Fault, proxy: str = "") -> TransportError:
    """The error for an attempt that brought no answer.

    :param proxy: see :class:`~.retry.Outcome`.
    """
    message, remedy = "", ""
    match fault:
        case Fault.TLS_DATE:
            today = time.strftime("%Y-%m-%d")
            message = f"By this computer's clock, which says {today}, the server's certificate is not valid."
            remedy = "Set this computer's date and time if they are wrong; otherwise ask whoever runs the network."
        case Fault.TLS_NAME:
            message = "A server answered in Scenario's place: its certificate is for another name."
            remedy = _NETWORK_REMEDY
        case Fault.TLS_VERSION:
            message = "The server, or a proxy before it, offers only outdated encryption, so nothing was sent."
            remedy = _NETWORK_REMEDY
        case Fault.NOT_TLS:
            message = "The server, or a proxy before it, answers without encryption, so nothing was sent."
            remedy = _NETWORK_REMEDY
        case Fault.PROXY if proxy:
            message = f"The network proxy {proxy} could not be used."
        case Fault.PROXY_LOGIN:
            message = f"The network proxy {proxy} asks for a name and password, or does not accept those that it got."
            remedy = "Put them into the environment variable HTTPS_PROXY, as in http://name:password@host:port."
        case Fault.PROXY_REFUSAL:
            message = f"The network proxy {proxy} does not let Blender through to Scenario."
            remedy = "Ask whoever runs the network to allow it, or name this host in NO_PROXY to go around the proxy."
        case Fault.PROXY_KIND:
            message = f"The network proxy {proxy} is of a kind that Blender's Python can't use, such as SOCKS."
            remedy = "Set the environment variable HTTPS_PROXY to a proxy whose address begins with http://."
    return _TRANSPORT[fault](message, remedy)


def api_error(outcome: Outcome, reason: str, trace_id: str) -> ScenarioError:
    """The error for an answer of 300 or more. `reason` and `trace_id` are redacted already."""
    status = outcome.status or 0
    if status == 429:
        kind = ParallelLimitError if is_parallel_limit(outcome) else RateLimitedError
        seconds = asked_seconds(outcome)
        message = f"{kind.default_message} It asks for {seconds:.0f} seconds." if seconds else ""
        return kind(message, seconds=seconds, status=status, reason=reason, trace_id=trace_id)
    if 300 <= status < 400:
        message = "The server redirects to another address instead of answering, which the add-on does not follow."
        return ProtocolError(message, status=status, reason=reason, trace_id=trace_id)
    is_page = "html" in outcome.headers.get("content-type", "").lower()
    if status in (407, 511) or (is_page and status in (401, 403)):
        message = "A proxy or login page of the network answered instead of Scenario."
        return ProtocolError(message, _NETWORK_REMEDY, status=status, reason=reason, trace_id=trace_id)
    error = _class_for(status, reason)
    message = error.default_message
    if reason:
        message = f"{message.removesuffix('.')}: {reason.rstrip('. ')}."
    return error(message, status=status, reason=reason, trace_id=trace_id)


def job_failure(job: Job) -> ApiError:
    """The error for a job that :attr:`~.answers.Job.failed`, by its words."""
    if job.status in ("canceled", "cancelled"):
        return ApiError("The job was canceled.", "Generate it again if you still want it.", reason=job.error)
    kind: type[ApiError] = ApiError
    if speaks_of_moderation(f"{job.error} {job.hint}"):
        kind = ModeratedError
    elif _CREDITS.search(job.error):
        kind = CreditsExhaustedError
    message = "Scenario could not make a model of this image" if kind is ApiError else kind.default_message
    message = message.removesuffix(".") + (f": {job.error.rstrip('. ')}." if job.error else ".")
    remedy = job.hint or ("Try another image or other parameters." if kind is ApiError else "")
    return kind(message, remedy, reason=job.error)


def reason_of(fields: Mapping[str, object]) -> str:
    """The service's own words, not redacted yet: reason, message, error, detail, in this order."""
    return words(fields)


def trace_id_of(fields: Mapping[str, object]) -> str:
    """What support asks for, not redacted yet."""
    return string(fields.get("trace_id")) or string(fields.get("traceId"))


def speaks_of_moderation(text: str) -> bool:
    """There is no code for it, only words."""
    return bool(_MODERATED.search(text))


def _class_for(status: int, reason: str) -> type[ApiError]:
    if status >= 500:
        return ServerError
    if status == 402:
        return CreditsExhaustedError
    if status in (400, 403, 409, 422, 451) and speaks_of_moderation(reason):
        return ModeratedError
    if status in (400, 403, 409, 422) and _CREDITS.search(reason):
        return CreditsExhaustedError
    if status == 403 and _PLAN.search(reason):
        return PlanRequiredError
    by_status: Mapping[int, type[ApiError]] = {
        400: InvalidRequestError,
        401: KeyRejectedError,
        403: KeyRejectedError,
        404: NotFoundError,
        413: TooLargeError,
        422: InvalidRequestError,
    }
    return by_status.get(status, ApiError)


def _is_unreachable(link: BaseException) -> bool:
    return isinstance(link, OSError) and link.errno in (
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.EADDRNOTAVAIL,
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what caused it: by ``raise from``, by context, as a ``reason``, or as an argument."""
    queue, seen = [error], set[int]()
    while queue:
        link = queue.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        for cause in (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args):
            if isinstance(cause, BaseException):
                queue.append(cause)
