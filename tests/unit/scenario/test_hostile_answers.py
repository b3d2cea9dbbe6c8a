# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that lie about themselves or have no end: a typed error or a result, soon, with little memory."""

from __future__ import annotations

import gzip
import json
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixal3d_addon.scenario import (
    Connection,
    Credentials,
    DownloadError,
    IncompleteDownloadError,
    Pace,
    ProtocolError,
    ScenarioClient,
    ScenarioError,
    SubmissionUncertainError,
    limits,
)
from tests.unit.scenario.conftest import KEY, QUICK, SECRET, make_glb
from tests.unit.scenario.raw_server import Talk, answering, head_of, listening
from tests.unit.scenario.scripted_server import Service, cut, ranged, reply

JOB = b'{"job":{"jobId":"j"}}'
OK = b"HTTP/1.1 200 OK\r\n"
GLB = make_glb(700_000)
CUT = 200_000
HASTY = Pace(read_seconds=0.5, submit_read_seconds=0.5, answer_seconds=0.1, wait_scale=0.002)


def client_at(port: int, pace: Pace = QUICK) -> ScenarioClient:
    return ScenarioClient(Connection(Credentials(KEY, SECRET), f"http://127.0.0.1:{port}/v1"), pace=pace)


def outcome_of(talk: Talk, pace: Pace = QUICK) -> str:
    """The job's id, or the name of the error; the paid call must agree about the former, and never fail cleanly."""
    with listening(talk) as port, client_at(port, pace) as client:
        try:
            paid = client.generate({"image": "i"}).job.id
        except SubmissionUncertainError:
            paid = ""
        try:
            free = client.job("j").id
        except ScenarioError as error:
            assert paid == ""
            return type(error).__name__
        assert paid == free
        return free


def headed(*lines: bytes, body: bytes = JOB) -> Talk:
    return answering(OK + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body)


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        pytest.param(headed(b"Content-Length: 21"), {"j"}, id="honest"),
        pytest.param(headed(), {"j"}, id="no length"),
        pytest.param(headed(b"Content-Length: -21"), {"j"}, id="negative length"),
        pytest.param(headed(b"Content-Length: many"), {"j"}, id="length is a word"),
        pytest.param(headed(b"Content-Length: " + b"9" * 5000), {"j"}, id="length of 5000 digits"),
        pytest.param(headed("Content-Length: ²¹".encode("latin-1")), {"j"}, id="length is not ascii"),
        pytest.param(headed(b"Content-Length: 21", b"Content-Length: 21"), {"j"}, id="length twice"),
        pytest.param(
            headed(b"Content-Length: 21", b"Content-Length: 4"), {"ConnectionLostError", "j"}, id="two lengths"
        ),
        pytest.param(headed(b"Content-Length: 9999"), {"ConnectionLostError"}, id="length too long"),
        pytest.param(headed(b"Content-Length: 5"), {"ProtocolError"}, id="length too short"),
        pytest.param(headed(b"Content-Length: 1" + b"0" * 17), {"ConnectionLostError"}, id="length huge"),
        pytest.param(
            headed(b"Transfer-Encoding: chunked", body=b"15\r\n" + JOB + b"\r\n0\r\n\r\n"), {"j"}, id="chunked"
        ),
        pytest.param(headed(b"Transfer-Encoding: chunked"), {"ConnectionLostError"}, id="chunked and is not"),
        pytest.param(
            headed(b"Transfer-Encoding: chunked", body=b"-1\r\n" + JOB), {"ConnectionLostError"}, id="negative chunk"
        ),
        pytest.param(
            headed(b"Transfer-Encoding: chunked", body=b"f" * 5000 + b"\r\n" + JOB),
            {"ConnectionLostError"},
            id="a chunk's length without end",
        ),
        pytest.param(headed(*[b"X-%d: 1" % i for i in range(100_000)]), {"ConnectionLostError"}, id="100000 headers"),
        pytest.param(headed(b"X: " + b"x" * 1_000_000), {"ConnectionLostError"}, id="a header of 1 MB"),
        pytest.param(headed(b"no header at all"), {"j", "ConnectionLostError"}, id="a header without a colon"),
        pytest.param(headed(b"Content-Type: application/json; charset"), {"j"}, id="half a charset"),
        pytest.param(headed(b"Content-Type: \xff\xfe; charset=\xff"), {"j"}, id="bytes in a header"),
        pytest.param(headed(b"Set-Cookie: \x01=\x02; expires=never; =;;", b"Set-Cookie: a"), {"j"}, id="a bad cookie"),
        pytest.param(
            answering(b"HTTP/1.1 200 OK\r\n"), {"ConnectionLostError", "ProtocolError"}, id="no end of the head"
        ),
        pytest.param(answering(b"HTTP/9.9 200 OK\r\n\r\n" + JOB), {"ConnectionLostError"}, id="another HTTP"),
        pytest.param(
            answering(b"HTTP/1.1 abc OK\r\n\r\n" + JOB), {"ConnectionLostError"}, id="a status that is a word"
        ),
        pytest.param(answering(b"HTTP/1.1 099 OK\r\n\r\n" + JOB), {"ConnectionLostError"}, id="a status below 100"),
        pytest.param(answering(b"HTTP/1.1 999 OK\r\n\r\n" + JOB), {"ServerError", "ApiError"}, id="status 999"),
        pytest.param(answering(JOB), {"ConnectionLostError"}, id="no HTTP at all"),
        pytest.param(answering(b"\0" * 100_000), {"ConnectionLostError"}, id="zeros"),
        pytest.param(answering(b"SSH-2.0-OpenSSH_9.6\r\n"), {"ConnectionLostError"}, id="another protocol"),
        pytest.param(answering(b""), {"ConnectionLostError"}, id="nothing"),
        pytest.param(answering(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK + b"\r\n" + JOB), {"j"}, id="100 Continue"),
        pytest.param(
            answering(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"\r\n" + JOB),
            {"j", "ConnectionLostError", "ApiError"},
            id="early hints",
        ),
        pytest.param(
            answering(b"HTTP/1.1 204 No Content\r\nContent-Length: 21\r\n\r\n" + JOB), {"ProtocolError"}, id="204"
        ),
        pytest.param(
            answering(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 21\r\n\r\n" + JOB), {"ProtocolError"}, id="304"
        ),
    ],
)
def test_a_head_that_lies_is_seen_through(talk: Talk, expected: set[str]) -> None:
    assert outcome_of(talk) in expected


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("br", b"\x0b\x0a\x80" + JOB),
        ("zstd", b"\x28\xb5\x2f\xfd" + JOB),
        ("gzip, gzip", gzip.compress(gzip.compress(JOB))),
        ("gzip", gzip.compress(gzip.compress(JOB))),
        ("gzip", gzip.compress(JOB)[:-12]),
        ("gzip", gzip.compress(b"") * 1000),
        ("gzip", b""),
        ("deflate", deflated(JOB)[::-1]),
        ("gzip", gzip.compress(b"[" * 100_000)),
        ("\x00", JOB),
    ],
    ids=["br", "zstd", "gzip twice", "gzip in gzip", "cut", "many empty", "nothing", "not packed", "deep", "zero"],
)
def test_a_packing_that_was_not_asked_for_or_is_damaged_is_no_answer(
    service: Service, client: ScenarioClient, encoding: str, body: bytes
) -> None:
    service.on("GET /v1/jobs/j", reply(200, body, content_encoding=encoding))
    with pytest.raises(ProtocolError):
        client.job("j")


@pytest.fixture
def memory() -> Iterator[None]:
    """At most a few times of what an answer may have, whatever it unpacks to."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 5 * limits.JSON_ANSWER_BYTES
    finally:
        tracemalloc.stop()


BOMB = gzip.compress(b" " * 100_000_000, 1)
GLB_BOMB = gzip.compress(GLB[:8] + (1_900_000).to_bytes(4, "little") + bytes(100_000_000), 1)


@pytest.mark.parametrize("status", [200, 302, 400, 500])
def test_an_answer_that_unpacks_a_thousandfold_fills_no_memory_whatever_its_status(
    memory: None, service: Service, client: ScenarioClient, status: int
) -> None:
    headers = {"location": "/v1/jobs/k"} if status == 302 else {}
    service.on("GET /v1/jobs/j", reply(status, BOMB, content_encoding="gzip", **headers))
    with pytest.raises(ScenarioError):
        client.job("j")


@pytest.mark.parametrize("status", [b"200 OK", b"302 Found\r\nLocation: /v1/jobs/k", b"400 Bad Request"])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_without_end_ends_by_its_size(memory: None, status: bytes, chunked: bool) -> None:
    piece = b" " * 65536

    def talk(connection, over: threading.Event) -> None:
        head_of(connection)
        connection.sendall(
            b"HTTP/1.1 " + status + (b"\r\nTransfer-Encoding: chunked" if chunked else b"") + b"\r\n\r\n"
        )
        while not over.is_set():
            connection.sendall(b"10000\r\n" + piece + b"\r\n" if chunked else piece)

    with listening(talk) as port, client_at(port) as client, pytest.raises(ScenarioError):
        client.job("j")


@pytest.mark.parametrize(
    ("start", "again"),
    [
        pytest.param(b"", b"H", id="status line"),
        pytest.param(OK, b"x", id="header"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="1xx"),
        pytest.param(OK + b"Content-Length: 999\r\n\r\n", b" ", id="body"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x", id="chunk extension"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="chunks"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: 1\r\n", id="trailers"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 999\r\n\r\n", b" ", id="refusal"),
    ],
)
def test_what_trickles_in_ends_wherever_it_trickles(start: bytes, again: bytes) -> None:
    """Each byte starts a socket's timeout anew, so that one would never end it."""

    def talk(connection, over: threading.Event) -> None:
        head_of(connection)
        connection.sendall(start)
        while not over.wait(0.02):
            connection.sendall(again)

    with listening(talk) as port, client_at(port, HASTY) as client, pytest.raises(ScenarioError):
        client.job("j")


def test_the_paid_call_is_uncertain_when_its_answer_trickles() -> None:
    def talk(connection, over: threading.Event) -> None:
        head_of(connection)
        while not over.wait(0.02):
            connection.sendall(b"H")

    with listening(talk) as port, client_at(port, HASTY) as client, pytest.raises(SubmissionUncertainError):
        client.generate({"image": "i"})


def offer(service: Service, port: int | None = None) -> None:
    host = service.url if port is None else f"http://127.0.0.1:{port}"
    asset = {"id": "a", "kind": "3d", "mimeType": "model/gltf-binary", "url": f"{host}/a.glb"}
    service.on("POST /v1/assets/get-bulk", reply(200, {"assets": [asset]}))
    service.on("GET /v1/assets/a", reply(200, {"asset": asset}))


@pytest.mark.parametrize(
    "length",
    [str(len(GLB) - 5), str(len(GLB) + 5), "-1", "0", "many", "9" * 5000, "1" + "0" * 17],
    ids=["too short", "too long", "negative", "none", "a word", "5000 digits", "huge"],
)
def test_a_model_whose_length_is_a_lie_is_whole_or_an_error(
    service: Service, client: ScenarioClient, tmp_path: Path, length: str
) -> None:
    path = tmp_path / "model.glb"

    def talk(connection, over: threading.Event) -> None:
        head_of(connection)
        connection.sendall(OK + f"Content-Length: {length}\r\n\r\n".encode() + GLB)

    with listening(talk) as port:
        offer(service, port)
        try:
            client.download_model(["a"], path)
        except DownloadError:
            assert list(tmp_path.iterdir()) == []
        else:
            assert path.read_bytes() == GLB


@pytest.mark.parametrize(
    "content_range",
    ["bytes 0-0/" + "9" * 5000, "bytes " + "9" * 5000 + "-1/1", f"bytes {CUT}-{CUT + 1}/-1", "bytes ²-³/¹", "\0"],
)
def test_a_range_that_makes_no_sense_is_not_believed(
    service: Service, client: ScenarioClient, tmp_path: Path, content_range: str
) -> None:
    offer(service)
    service.on("GET /a.glb", cut(200, GLB, CUT), reply(206, GLB[CUT:], content_range=content_range), reply(200, GLB))
    client.download_model(["a"], tmp_path / "model.glb")
    assert (tmp_path / "model.glb").read_bytes() == GLB


@pytest.mark.parametrize("etag", ['"a\r\n b"', '"ä"', '"€"', "\x7f", "W/", '"' + "x" * 9000 + '"', "unquoted"])
def test_a_tag_that_does_not_fit_into_a_header_is_not_sent_back(
    service: Service, client: ScenarioClient, tmp_path: Path, etag: str
) -> None:
    offer(service)
    service.on("GET /a.glb", ranged(GLB, cut_after=CUT, etag=etag.encode().decode("latin-1")))
    client.download_model(["a"], tmp_path / "model.glb")
    assert (tmp_path / "model.glb").read_bytes() == GLB
    assert not [request for request in service.sent("GET /a.glb") if "if-range" in request.headers]


@pytest.mark.parametrize("packed", [False, True])
def test_what_follows_a_model_without_end_is_not_read(
    memory: None, service: Service, client: ScenarioClient, tmp_path: Path, packed: bool
) -> None:
    """It would fill the disk up to the largest model's size; and, packed, the memory with what zlib keeps for us."""

    def talk(connection, over: threading.Event) -> None:
        head_of(connection)
        connection.sendall(OK + (b"Content-Encoding: gzip\r\n" if packed else b"") + b"\r\n")
        connection.sendall(gzip.compress(GLB, 1) if packed else GLB)
        while not over.is_set():
            connection.sendall(b"\0" * 65536)

    with listening(talk) as port:
        offer(service, port)
        with pytest.raises(DownloadError):
            client.download_model(["a"], tmp_path / "model.glb")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_unpacks_a_thousandfold_ends_at_the_largest_models_size(
    memory: None, service: Service, client: ScenarioClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GLB_BYTES", 2_000_000)
    offer(service)
    service.on("GET /a.glb", reply(200, GLB_BOMB, content_encoding="gzip"))
    most = 0

    def watch(done: int, total: int) -> None:
        nonlocal most
        most = max(most, done)

    with pytest.raises(DownloadError):
        client.download_model(["a"], tmp_path / "model.glb", on_progress=watch)
    assert most <= 2_000_000


@pytest.mark.parametrize("packed", [b"", b"Content-Encoding: gzip\r\n"])
def test_a_model_that_hardly_moves_is_given_up(
    service: Service, connection: Connection, tmp_path: Path, packed: bytes
) -> None:
    """Packed: blocks of nothing, of which a stream may hold any number."""
    start = OK + packed + b"\r\n" + (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" if packed else b"glTF")
    again = b"\0\0\0\xff\xff" if packed else b"\2"

    def talk(connection, over: threading.Event) -> None:
        head_of(connection)
        connection.sendall(start)
        while not over.wait(0.01):
            connection.sendall(again)

    pace = Pace(read_seconds=5, answer_seconds=0.1, wait_scale=0.002)
    with listening(talk) as port, ScenarioClient(connection, pace=pace) as client:
        offer(service, port)
        with pytest.raises(ScenarioError):
            client.download_model(["a"], tmp_path / "model.glb")


def test_a_slow_but_honest_model_takes_as_long_as_it_takes(
    service: Service, connection: Connection, tmp_path: Path
) -> None:
    """Many times the time that any other answer has."""

    def talk(connection, over: threading.Event) -> None:
        head_of(connection)
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(GLB))
        for start in range(0, len(GLB), 35_000):
            over.wait(0.05)
            connection.sendall(GLB[start : start + 35_000])

    pace = Pace(read_seconds=5, answer_seconds=0.7, wait_scale=0.002)
    with listening(talk) as port, ScenarioClient(connection, pace=pace) as client:
        offer(service, port)
        client.download_model(["a"], tmp_path / "model.glb")
    assert (tmp_path / "model.glb").read_bytes() == GLB


def test_numbers_and_words_that_nothing_can_keep_do_not_get_in(service: Service, client: ScenarioClient) -> None:
    """NaN in a record, 400 digits in a database, half a character in a file: each failed somewhere far away."""
    text = (
        '{"job":{"jobId":"j","status":"half \\ud83d","progress":NaN,"billing":{"cuCost":Infinity},'
        '"metadata":{"input":{"seed":' + "9" * 400 + ',"whole":7,"part":0.5,"far":1e999,"smile":"\\ud83d\\ude00"}}}}'
    )
    service.on("GET /v1/jobs/j", reply(200, text.encode(), content_type="application/json"))
    job = client.job("j")
    assert ascii(job.status) == ascii("half ?")
    assert (job.progress, job.cost) == (None, None)
    assert job.input == {"seed": None, "whole": 7, "part": 0.5, "far": None, "smile": "\U0001f600"}
    json.dumps(job.input, allow_nan=False).encode()


def test_a_job_with_endless_files_is_asked_after_its_first_ones(
    service: Service, client: ScenarioClient, tmp_path: Path
) -> None:
    ids = [f"asset_{n}" for n in range(100_000)]
    service.on("GET /v1/jobs/j", reply(200, {"job": {"jobId": "j", "metadata": {"assetIds": ids}}}))
    assert client.job("j").asset_ids == tuple(ids[: limits.JOB_ASSETS])


def test_a_model_that_is_a_web_page_is_never_glued_to_what_came_before(
    service: Service, client: ScenarioClient, tmp_path: Path
) -> None:
    page = (b"<html>log in</html>" * len(GLB))[: len(GLB) - CUT]
    whole = f"bytes {CUT}-{len(GLB) - 1}/{len(GLB)}"
    offer(service)
    service.on("GET /a.glb", cut(200, GLB, CUT), reply(206, page, content_range=whole, content_type="text/html"))
    with pytest.raises(DownloadError, match="web page"):
        client.download_model(["a"], tmp_path / "model.glb")
    assert list(tmp_path.iterdir()) == []


def test_what_is_cut_again_and_again_is_said_so(service: Service, client: ScenarioClient, tmp_path: Path) -> None:
    offer(service)
    service.on("GET /a.glb", cut(200, GLB, 10))
    with pytest.raises(IncompleteDownloadError):
        client.download_model(["a"], tmp_path / "model.glb")
