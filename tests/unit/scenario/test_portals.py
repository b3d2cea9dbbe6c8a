# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that wants a login first puts its page in place of every answer: it is told so, and nothing is mistaken.

Over TLS it can do so only by breaking the encryption, which test_trust.py is about. What gets as far as here came over
a connection that we trust, from a company's proxy or from something before the service. So of the paid request it is
not certain that it never arrived, except where a page says that it was refused.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pixal3d_addon.scenario import (
    DownloadError,
    NoModelError,
    ProtocolError,
    ScenarioClient,
    ScenarioError,
    SubmissionUncertainError,
    UploadFailedError,
)
from tests.unit.scenario.conftest import GENERATE, make_glb
from tests.unit.scenario.scripted_server import Responder, Service, cut, reply

PAGE = b"<!DOCTYPE html>\n<html><title>Log in</title>" + b"<p>Welcome to our hotel</p>" * 40_000
GLB = make_glb(700_000)

PORTALS = {
    "200": reply(200, PAGE, content_type="text/html; charset=utf-8"),
    "200 without a type": reply(200, PAGE),
    "200 as json": reply(200, PAGE, content_type="application/json"),
    "302": reply(302, b"", location="https://login.invalid/?next=x"),
    "302 to http": reply(302, b"", location="http://login.invalid/"),
    "307": reply(307, b"", location="https://login.invalid/"),
    "511": reply(511, PAGE, content_type="text/html"),
    "407": reply(407, PAGE, content_type="text/html", proxy_authenticate="Basic realm=x"),
    "403": reply(403, PAGE, content_type="text/html"),
}
EVERY_PORTAL = pytest.mark.parametrize("portal", PORTALS.values(), ids=PORTALS)


@EVERY_PORTAL
def test_a_question_gets_no_answer_and_the_way_to_one(
    service: Service, client: ScenarioClient, portal: Responder
) -> None:
    service.on("GET /v1/jobs/j", portal)
    with pytest.raises(ProtocolError) as caught:
        client.job("j")
    assert "web page" in str(caught.value) or "Log in" in str(caught.value)
    assert len(service.requests) <= 4


@EVERY_PORTAL
def test_the_key_is_not_called_bad(service: Service, client: ScenarioClient, portal: Responder) -> None:
    service.on("GET /v1/teams", portal)
    with pytest.raises(ProtocolError):
        client.check_key()


@EVERY_PORTAL
def test_the_paid_request_is_sent_once_and_called_refused_only_if_the_page_says_so(
    service: Service, client: ScenarioClient, portal: Responder
) -> None:
    service.on(GENERATE, portal)
    is_refusal = portal in (PORTALS["407"], PORTALS["403"])
    with pytest.raises(ProtocolError if is_refusal else SubmissionUncertainError):
        client.generate({"image": "i"})
    assert len(service.requests) == 1


@EVERY_PORTAL
def test_an_image_is_not_taken_for_uploaded(service: Service, client: ScenarioClient, portal: Responder) -> None:
    service.on("POST /v1/assets", portal)
    with pytest.raises(ScenarioError):
        client.upload_image("i.png", bytes(100), "image/png")
    parts = [{"number": 1, "url": f"{service.url}/storage"}]
    service.on("POST /v1/uploads", reply(200, {"upload": {"id": "u", "parts": parts}}))
    service.on("PUT /storage", portal)
    service.on("POST /v1/uploads/u/action", reply(200, {}))
    service.on("GET /v1/uploads/u", reply(200, {"upload": {"status": "imported", "entityId": "i"}}))
    if portal in (PORTALS["200 without a type"], PORTALS["200 as json"]):
        # A storage's 200 has no body to tell it by; the service looks at what arrived before it takes it.
        client.upload_image("i.png", bytes(4_000_000), "image/png")
    else:
        with pytest.raises((UploadFailedError, ScenarioError)):
            client.upload_image("i.png", bytes(4_000_000), "image/png")
        assert service.sent("POST /v1/uploads/u/action") == []


@EVERY_PORTAL
@pytest.mark.parametrize("begun", [False, True], ids=["from the start", "in the middle"])
def test_a_page_never_becomes_the_model_nor_a_part_of_it(
    service: Service, client: ScenarioClient, tmp_path: Path, portal: Responder, begun: bool
) -> None:
    asset = {"id": "a", "kind": "3d", "mimeType": "model/gltf-binary", "url": f"{service.url}/a.glb"}
    service.on("POST /v1/assets/get-bulk", reply(200, {"assets": [asset]}))
    service.on("GET /v1/assets/a", reply(200, {"asset": asset}))
    service.on("GET /a.glb", *([cut(200, GLB, 200_000)] if begun else []), portal)
    with pytest.raises(ScenarioError) as caught:
        client.download_model(["a"], tmp_path / "model.glb")
    assert not isinstance(caught.value, NoModelError), "that would be for good, and the model is there"
    assert list(tmp_path.iterdir()) == []
    service.on("GET /a.glb", reply(200, GLB))
    client.download_model(["a"], tmp_path / "model.glb")
    assert (tmp_path / "model.glb").read_bytes() == GLB


@pytest.mark.parametrize("length", [1, 12, 100, len(GLB) - 200_000])
def test_a_page_that_pretends_to_be_the_rest_is_no_part_of_the_model(
    service: Service, client: ScenarioClient, tmp_path: Path, length: int
) -> None:
    """Some proxies answer a range with their page and its headers."""
    asset = {"id": "a", "kind": "3d", "mimeType": "model/gltf-binary", "url": f"{service.url}/a.glb"}
    service.on("POST /v1/assets/get-bulk", reply(200, {"assets": [asset]}))
    rest = f"bytes 200000-{len(GLB) - 1}/{len(GLB)}"
    page = reply(206, PAGE[:length], content_range=rest, content_type="text/html")
    service.on("GET /a.glb", cut(200, GLB, 200_000), page)
    with pytest.raises(DownloadError, match="web page"):
        client.download_model(["a"], tmp_path / "model.glb")
    assert list(tmp_path.iterdir()) == []
