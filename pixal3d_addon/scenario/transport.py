# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over HTTP, with the rules that hold for all of them. What they ask for is the client's business.

- Every address is checked (:func:`.connection.check_url`), and more so one that the service gave
  (:func:`.connection.check_given_url`).
- The key goes to the configured API only, for whose addresses there is one method, :meth:`Transport.ask`. Other hosts
  (storage, CDN) get a request without credentials.
- requests and urllib3 repeat nothing and follow nothing. There is no ``requests.Session``, which reads all of a
  redirect's body although told not to follow it, keeps cookies, and puts a password of ``~/.netrc`` in our key's place.
- An answer is read up to a size, before and after unpacking, and up to a deadline.
- Proxies and CA bundles come from the environment or the system, as everywhere with requests.
- What one client is told about the pace holds for all that share its gate (:mod:`.gate`).
- An error carries no exception of requests along: its request has the key in a header and the signature in its URL.

One thread at a time. requests is imported with the first call: it takes 69 ms, which Blender's start should not pay.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from . import limits
from .body import MakeBody
from .connection import USER_AGENT, Connection, check_given_url, check_url, host_and_port, is_loopback
from .errors import CanceledError, ConfigurationError, ProtocolError, ScenarioError
from .faults import api_error, fault_of, reason_of, trace_id_of, transport_error
from .gate import Gate
from .redact import Hidden, redact
from .reply import Reply, Stream, network_errors, read_reply
from .retry import Call, Outcome, delay_seconds

if TYPE_CHECKING:
    import requests

    from .adapter import StrictAdapter

_JSON_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}


class Transport:
    """See the module."""

    def __init__(
        self, connection: Connection, cancel: threading.Event | None, pace: limits.Pace, gate: Gate | None = None
    ) -> None:
        self._connection = connection
        self._gate = gate or Gate()
        self._cancel = cancel or threading.Event()
        self._pace = pace
        self._adapter: StrictAdapter | None = None
        self._proxy = ""

    def close(self) -> None:
        """Any number of times."""
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter.close()

    def clean(self, text: str) -> str:
        """`text` without secrets, of bounded length."""
        return redact(text, self._connection.secrets())

    def check_cancel(self) -> None:
        """
        :raises CanceledError: the cancel event is set.
        """
        if self._cancel.is_set():
            raise CanceledError()

    def wait(self, seconds: float) -> None:
        """Sleep.

        :raises CanceledError: the cancel event was set meanwhile.
        """
        if self._cancel.wait(seconds * self._pace.wait_scale):
            raise CanceledError()

    def url(self, path: str, query: Mapping[str, str]) -> str:
        """The API's address of `path`, spelled as scenario-sdk 2.4.0 does: sorted names, commas encoded."""
        project = self._connection.project_id
        query = dict(sorted({**query, **({"projectId": project} if project else {})}.items()))
        if "paginationToken" in query:
            query["paginationToken"] = query.pop("paginationToken")
        return f"{self._connection.base_url}{path}" + (f"?{urlencode(query)}" if query else "")

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: MakeBody | None = None
    ) -> Mapping[str, object]:
        """A SAFE call of the API, repeated as :mod:`.retry` says.

        :returns: the JSON object of the answer.
        :raises ScenarioError: there is none.
        """
        return self._repeat(lambda: self.ask(method, path, query, body)).fields

    def put(self, url: str, body: MakeBody) -> None:
        """Send `body` to a presigned `url`, without credentials, repeated as :mod:`.retry` says.

        :raises ScenarioError: it was not taken.
        """
        check_given_url(url, self._connection)

        def attempt() -> Reply:
            return self._exchange("PUT", url, {"Accept": "*/*"}, body, want_json=False)

        self._repeat(attempt)

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: MakeBody | None = None,
        *,
        is_submission: bool = False,
    ) -> Reply:
        """One attempt at a call of the API.

        :param is_submission: use a connection of its own, as a kept one that the server has closed meanwhile fails
            only after sending, and allow the longer timeout.
        :raises CanceledError, ConfigurationError: before anything was sent.
        """
        while (seconds := self._gate.seconds_left()) > 0:
            if self._cancel.wait(seconds):
                raise CanceledError()
        headers = {**_JSON_HEADERS, "Authorization": Hidden(f"Basic {self._connection.credentials.token()}")}
        if body is not None:
            headers["Content-Type"] = "application/json"
        reply = self._exchange(method, self.url(path, query or {}), headers, body, is_submission=is_submission)
        self._gate.note(reply.outcome, self._pace.wait_scale)
        return reply

    def open(self, url: str, headers: Mapping[str, str]) -> Stream:
        """One attempt to GET `url`, whatever the status, without credentials.

        :raises ScenarioError: no answer came.
        """
        self.check_cancel()
        check_given_url(url, self._connection)
        adapter = self._keep_adapter()
        fault = None
        try:
            response = self._send(adapter, "GET", url, dict(headers), None, self._pace.read_seconds)
        except network_errors() as error:
            fault = fault_of(error, sent=False)
        if fault is not None:
            raise transport_error(fault, self._proxy)
        return Stream.of(response, adapter.clock)

    def failure(self, reply: Reply) -> ScenarioError:
        """The error for a reply that is not good."""
        outcome = reply.outcome
        if outcome.fault is not None:
            return transport_error(outcome.fault, outcome.proxy)
        reason, trace_id = self.clean(reason_of(outcome.fields)), self.clean(trace_id_of(outcome.fields))
        if outcome.status is not None and outcome.status < 300:
            return ProtocolError(reply.problem, status=outcome.status, reason=reason, trace_id=trace_id)
        return api_error(outcome, reason, trace_id)

    def _repeat(self, attempt: Callable[[], Reply]) -> Reply:
        number = 0
        while True:
            number += 1
            reply = attempt()
            if reply.is_good:
                return reply
            delay = delay_seconds(Call.SAFE, number, reply.outcome, random.random())
            if delay is None:
                raise self.failure(reply)
            self.wait(delay)

    def _exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        make_body: MakeBody | None,
        *,
        want_json: bool = True,
        is_submission: bool = False,
    ) -> Reply:
        self.check_cancel()
        body = make_body(self._cancel) if make_body is not None else None
        adapter = self._new_adapter() if is_submission else self._keep_adapter()
        timeout = self._pace.submit_read_seconds if is_submission else self._pace.read_seconds
        response = None
        try:
            response = self._send(adapter, method, url, headers, body, timeout)
            return read_reply(response, want_json=want_json)
        except network_errors() as error:
            sent = response is not None or (body is not None and body.started)
            fault = fault_of(error, sent=sent)
        finally:
            if response is not None:
                response.close()
            if is_submission:
                adapter.close()
        return Reply(Outcome(fault=fault, sent=sent, proxy=self._proxy))

    def _send(
        self,
        adapter: StrictAdapter,
        method: str,
        url: str,
        headers: dict[str, str],
        body: object,
        read_timeout: float,
    ) -> requests.Response:
        import requests

        from .adapter import proxy_of

        host = check_url(url).hostname or ""
        headers["User-Agent"] = USER_AGENT
        try:
            prepared = requests.Request(method, url, headers, data=body).prepare()
        except requests.exceptions.InvalidURL:
            prepared = None
        if prepared is None:
            raise ConfigurationError("The web address is not valid.")
        if url.isascii():
            prepared.url = url  # requests decodes %7E and the like, and a signed URL is valid to the letter only
        # A proxy can't reach this machine's loopback.
        proxy = None if is_loopback(host) else proxy_of(url)
        self._proxy = host_and_port(proxy or "")
        timeout = (self._pace.connect_seconds, read_timeout)
        proxies = {"all": proxy} if proxy else {}
        return adapter.send(prepared, stream=True, timeout=timeout, verify=True, proxies=proxies)

    def _keep_adapter(self) -> StrictAdapter:
        if self._adapter is None:
            self._adapter = self._new_adapter()
        return self._adapter

    def _new_adapter(self) -> StrictAdapter:
        network_errors()  # says it in words if requests can't be imported
        from .adapter import StrictAdapter

        return StrictAdapter(self._pace.read_seconds, self._pace.answer_seconds)
