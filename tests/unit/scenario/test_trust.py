# SPDX-License-Identifier: GPL-3.0-or-later
"""Over TLS: whose certificates are believed, and what is said when one is not. Nothing is sent then."""

from __future__ import annotations

import datetime
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from pixal3d_addon.scenario import (
    Connection,
    Credentials,
    Pace,
    ScenarioClient,
    ScenarioError,
    TlsError,
    TransportError,
)
from pixal3d_addon.scenario.trust import trusting_context
from tests.unit.scenario.conftest import GENERATE, KEY, QUICK, SECRET
from tests.unit.scenario.raw_server import head_of, listening, silent
from tests.unit.scenario.scripted_server import reply, serving
from tests.unit.scenario.tls import server_context, trust

JOB = {"job": {"jobId": "j"}}
GET_JOB = "GET /v1/jobs/j"
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


def client_of(port_or_url: int | str, pace: Pace = QUICK) -> ScenarioClient:
    url = f"https://127.0.0.1:{port_or_url}" if isinstance(port_or_url, int) else port_or_url
    return ScenarioClient(Connection(Credentials(KEY, SECRET), f"{url}/v1"), pace=pace)


def error_of(context: ssl.SSLContext) -> TransportError:
    """What both a free and the paid call end with, at a server that gets neither."""
    with serving(context) as service, client_of(service.url) as client:
        with pytest.raises(TlsError) as caught:
            client.generate({"image": "i"})
        with pytest.raises(TlsError, match=caught.value.message):
            client.job("j")
        assert service.requests == []
        assert service.connections <= 2, "a certificate does not get better by asking again"
    return caught.value


def test_a_certificate_that_nobody_vouches_for_is_an_error_of_trust(ca: trustme.CA) -> None:
    error = error_of(server_context(ca))
    assert "could not be trusted" in error.message
    assert "REQUESTS_CA_BUNDLE" in error.remedy


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_companys_certificate_is_taken_from_the_environment(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    trust(ca, monkeypatch, tmp_path, variable)
    with serving(server_context(ca)) as service, client_of(service.url) as client:
        service.on(GET_JOB, reply(200, JOB))
        service.on(GENERATE, reply(200, JOB))
        assert client.job("j").id == "j"
        assert client.generate({"image": "i"}).job.id == "j"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_DIR"])
def test_it_may_be_a_folder_as_openssl_keeps_them(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """Named after the hash of the subject, which the handshake looks for."""
    file = trust(ca, monkeypatch, tmp_path, "CURL_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE")
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / f"{subject_hash(file):08x}.0").write_bytes(file.read_bytes())
    monkeypatch.setenv(variable, str(folder))
    with serving(server_context(ca)) as service, client_of(service.url) as client:
        service.on(GET_JOB, reply(200, JOB))
        assert client.job("j").id == "j"


def test_a_named_file_is_believed_alone_and_certifis_list_not_any_more(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert len(trusting_context().get_ca_certs()) > 50
    trust(ca, monkeypatch, tmp_path)
    assert len(trusting_context().get_ca_certs()) == 1


def test_what_this_computer_believes_is_believed_beside_certifis_list(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where a company's certificate is installed; OpenSSL lets its place be named for that."""
    before = len(trusting_context().get_ca_certs())
    trust(ca, monkeypatch, tmp_path, "SSL_CERT_FILE")
    names = [dict(part[0] for part in found["subject"]) for found in trusting_context().get_ca_certs()]
    assert any("trustme" in str(name) for name in names)
    assert before > 50


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), (b"", "PEM"), (b"\x30\x82\x01\x00\xff", "PEM"), (b"-----BEGIN CERT", "PEM")],
    ids=["missing", "empty", "binary", "cut"],
)
def test_a_certificate_file_that_can_not_be_used_is_told_by_variable_and_path(
    ca: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    content: bytes | None,
    words: str,
) -> None:
    file = tmp_path / "company.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(variable, str(file))
    error = error_of(server_context(ca))
    assert variable in error.message
    assert str(file) in error.message
    assert words in error.message
    assert error.__cause__ is error.__context__ is None


def test_a_file_that_was_mended_is_read_again(ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = trust(trustme.CA(), monkeypatch, tmp_path)
    error_of(server_context(ca))
    ca.cert_pem.write_to_path(file)
    with serving(server_context(ca)) as service, client_of(service.url) as client:
        service.on(GET_JOB, reply(200, JOB))
        assert client.job("j").id == "j"


@pytest.mark.parametrize(
    ("start", "end"),
    [(-20, -10), (10, 20)],
    ids=["expired", "not yet valid"],
)
def test_a_certificate_out_of_its_time_leads_to_this_computers_clock(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, start: int, end: int
) -> None:
    trust(ca, monkeypatch, tmp_path)
    days = datetime.timedelta(days=1)
    error = error_of(server_context(ca, not_before=NOW + start * days, not_after=NOW + end * days))
    assert f"clock, which says {datetime.date.today().isoformat()}" in error.message


@pytest.mark.parametrize("name", ["elsewhere.invalid", "127.0.0.2"])
def test_another_servers_certificate_is_told(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    trust(ca, monkeypatch, tmp_path)
    assert "another name" in error_of(server_context(ca, name)).message


def test_outdated_encryption_is_not_spoken(ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trust(ca, monkeypatch, tmp_path)
    context = server_context(ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    assert "outdated encryption" in error_of(context).message


def test_the_keys_of_a_connection_are_written_nowhere(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever has them and the traffic has our key: in a browser a help for debugging, here a leak."""
    trust(ca, monkeypatch, tmp_path)
    for name in ("keys.log", "missing/keys.log"):
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / name))
        with serving(server_context(ca)) as service, client_of(service.url) as client:
            service.on(GET_JOB, reply(200, JOB))
            assert client.job("j").id == "j"
    assert not (tmp_path / "keys.log").exists()


def test_a_computer_that_believes_nothing_readable_still_has_certifis_list(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "system.pem"
    broken.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(broken))
    assert len(trusting_context().get_ca_certs()) > 50
    error_of(server_context(ca))


def test_a_server_without_encryption_where_some_is_wanted_gets_nothing() -> None:
    with serving() as service, client_of(service.url.replace("http:", "https:")) as client:
        for ask in (lambda: client.generate({"image": "i"}), lambda: client.job("j")):
            with pytest.raises(TlsError, match="without encryption"):
                ask()
        assert service.requests == []


def test_a_server_that_is_silent_instead_of_shaking_hands_ends_in_time() -> None:
    pace = Pace(connect_seconds=0.1, wait_scale=0.002)
    with listening(silent) as port, client_of(port, pace) as client, pytest.raises(TransportError):
        client.generate({"image": "i"})


def test_a_handshake_that_trickles_ends_in_time(ca: trustme.CA) -> None:
    """OpenSSL's handshake has one timeout for all of it, in Python."""

    def talk(connection: socket.socket, over) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while not over.wait(0.02):
            connection.sendall(b"\x00")

    pace = Pace(connect_seconds=0.1, wait_scale=0.002)
    with listening(talk) as port, client_of(port, pace) as client, pytest.raises(ScenarioError):
        client.generate({"image": "i"})


def test_a_connection_that_is_cut_within_tls_after_the_paid_request_is_uncertain_and_not_one_of_trust(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trust(ca, monkeypatch, tmp_path)

    def talk(connection: socket.socket, over) -> None:
        head_of(connection)

    with listening(talk, server_context(ca)) as port, client_of(port) as client:
        with pytest.raises(ScenarioError, match="not known whether"):
            client.generate({"image": "i"})


def subject_hash(file: Path) -> int:
    """OpenSSL's X509_NAME_hash, over the canonical form of the name."""
    import hashlib

    from cryptography import x509

    encoded = b""
    for rdn in x509.load_pem_x509_certificate(file.read_bytes()).subject.rdns:
        for attribute in rdn:
            oid = x509.Name([x509.NameAttribute(attribute.oid, "x" * 2)]).public_bytes()
            identifier = oid[oid.index(b"\x06") : oid.index(b"\x06") + 2 + oid[oid.index(b"\x06") + 1]]
            text = " ".join(str(attribute.value).lower().split()).encode()
            value = b"\x0c" + bytes([len(text)]) + text
            pair = identifier + value
            sequence = b"\x30" + bytes([len(pair)]) + pair
            encoded += b"\x31" + bytes([len(sequence)]) + sequence
    return int.from_bytes(hashlib.sha1(encoded, usedforsecurity=False).digest()[:4], "little")
