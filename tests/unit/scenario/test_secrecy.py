# SPDX-License-Identifier: GPL-3.0-or-later
"""What a crash reporter sees, that writes down the values of all variables: not the key."""

from __future__ import annotations

import base64
import http.client
import pickle
import traceback
from typing import Any

import pytest

from pixal3d_addon.scenario import Connection, Credentials, ScenarioClient, ScenarioError
from pixal3d_addon.scenario.redact import Hidden
from tests.unit.scenario.conftest import KEY, SECRET
from tests.unit.scenario.scripted_server import Service

TOKEN = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()


def told(error: BaseException) -> str:
    """The traceback with the values of all variables of all frames, and of what the error came from."""
    first = error.__traceback__
    assert first is not None
    whole = error.with_traceback(first.tb_next)  # without the test's own frame, whose server knows all
    return "".join(traceback.TracebackException.from_exception(whole, capture_locals=True).format())


def hidden_in(text: str) -> bool:
    return not [secret for secret in (KEY, SECRET, TOKEN) if secret in text]


def test_a_fault_in_the_middle_of_a_request_shows_no_key(
    client: ScenarioClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **more: Any) -> None:
        raise ZeroDivisionError("a fault of somebody's")

    monkeypatch.setattr(http.client.HTTPConnection, "getresponse", fail)
    with pytest.raises(ZeroDivisionError) as error:
        client.check_key()
    text = told(error.value)
    assert "Authorization" in text, "the frames with the headers are among them"
    assert hidden_in(text)


def test_a_refusal_and_a_lost_connection_show_no_key(client: ScenarioClient, service: Service) -> None:
    with pytest.raises(ScenarioError) as refused:
        client.check_key()  # nothing is scripted
    assert hidden_in(told(refused.value))
    nowhere = Connection(Credentials(KEY, SECRET), "http://127.0.0.1:9/v1")
    with ScenarioClient(nowhere) as lost, pytest.raises(ScenarioError) as error:
        lost.check_key()
    assert hidden_in(told(error.value))


def test_nothing_of_ours_shows_the_key_by_itself(client: ScenarioClient, connection: Connection) -> None:
    for thing in (connection, connection.credentials, client, Hidden(TOKEN), [Hidden(TOKEN)], {"a": Hidden(TOKEN)}):
        assert hidden_in(f"{thing!r}")
    assert Hidden(TOKEN) == TOKEN and f"{Hidden(TOKEN)}" == TOKEN and pickle.loads(pickle.dumps(Hidden(TOKEN))) == TOKEN
