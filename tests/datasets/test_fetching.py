"""Fetching from a server on this machine: broken connections, wrong files, errors."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest
from toy_servers import BODY, ROW, describe

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.datasets.fetch import _Fetching, fetch

DIGEST = hashlib.sha256(BODY).hexdigest()


def refused(url, home, **options):
    with pytest.raises(SpanbridgeError) as caught:
        fetch(url, home / "x", pause=0, **options)
    assert not [path for path in home.iterdir() if path.name == "x"]
    text = str(caught.value)
    assert text.isprintable()
    return text


def test_a_file_is_fetched_and_its_digest_told(server, home):
    told = []
    url = server.serve("/x")
    assert fetch(url, home / "x", DIGEST, lambda *one: told.append(one)) == DIGEST
    assert (home / "x").read_bytes() == BODY
    assert told[-1] == (len(BODY), len(BODY))
    assert [path.name for path in home.iterdir()] == ["x"]


@pytest.mark.parametrize("tag", [{"ETag": '"a"'}, {}])
def test_a_cut_connection_is_gone_on_from(server, home, tag):
    assert fetch(server.serve("/x", cut=10_000, **tag), home / "x", DIGEST, pause=0) == DIGEST
    ranges = [headers.get("Range") for _, headers in server.asked]
    assert ranges == [None, "bytes=10000-"]


def test_what_is_kept_of_a_run_serves_the_next(server, home):
    url = server.serve("/x", cut=20_000, ETag='"a"')
    made = _Fetching(url, home / "x", lambda done, total: None)
    with made._client() as client, pytest.raises(Exception, match="no answer"):
        made._try(client)
    assert fetch(url, home / "x", DIGEST, pause=0) == DIGEST
    assert server.asked[-1][1]["Range"] == "bytes=20000-"


def test_another_file_at_the_source_is_begun_anew(server, home):
    url = server.serve("/x", b"old" * 9000, cut=6000, ETag='"old"')
    made = _Fetching(url, home / "x", lambda done, total: None)
    with made._client() as client, pytest.raises(Exception, match="no answer"):
        made._try(client)
    server.serve("/x", ETag='"new"')
    assert fetch(url, home / "x", DIGEST, pause=0) == DIGEST


def test_a_server_without_ranges_sends_all_again(server, home):
    url = server.serve("/x", cut=5, ranges=False)
    assert fetch(url, home / "x", DIGEST, pause=0) == DIGEST


def test_a_part_that_is_whole_already_is_taken(server, home):
    url = server.serve("/x", ETag='"a"')
    made = _Fetching(url, home / "x", lambda done, total: None)
    with made._client() as client:
        made._try(client)
    assert fetch(url, home / "x", DIGEST, pause=0) == DIGEST
    assert server.asked[-1][1]["Range"] == f"bytes={len(BODY)}-"


def test_a_wrong_digest_keeps_nothing(server, home):
    text = refused(server.serve("/x"), home, sha256="0" * 64)
    assert DIGEST in text
    assert "Nothing of it was kept" in text
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "has no such file"), (403, "set HF_TOKEN"), (401, "accept its terms"), (418, "418")],
)
def test_refusals_in_plain_words(server, home, status, said):
    assert said in refused(server.serve("/x", b"<b>no</b>", status=status), home)
    assert len(server.asked) == 1


def test_a_busy_server_is_asked_again(server, home):
    assert "503" in refused(server.serve("/x", b"", status=503), home)
    assert len(server.asked) == 5


def test_a_page_in_place_of_the_file_is_refused(server, home):
    page = server.serve("/x", b"\n<!DOCTYPE html><p>Log in")
    assert "is a web page in place of the file" in refused(page, home)
    assert not list(home.iterdir())


def test_redirections_are_followed_to_an_end(server, home):
    server.serve("/x")
    server.serve("/a", b"", status=302, Location="/x")
    assert fetch(f"{server.url}/a", home / "x") == DIGEST
    server.serve("/b", b"", status=302, Location="/b")
    (home / "x").unlink()
    assert "more than 10 times" in refused(f"{server.url}/b", home)


def tried(url, home, answer):
    """What one try asks for, of a network that is a function."""
    asked = []

    def handle(request):
        asked.append(request)
        return answer(request)

    made = _Fetching(url, home / "x", lambda done, total: None)
    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        made._try(client)
    return asked


def test_no_way_leads_from_https_to_http(home):
    def answer(request):
        return httpx.Response(302, headers={"Location": "http://data.example/y?token=abc12345"})

    with pytest.raises(SpanbridgeError, match=r"from https to http://data.example/y") as caught:
        tried("https://data.example/x", home, answer)
    assert "abc12345" not in str(caught.value)


def test_the_token_stays_with_the_hub(home, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "s3cret-token-of-mine")

    def answer(request):
        if request.url.host == "huggingface.co":
            return httpx.Response(302, headers={"Location": "https://cdn.example/x"})
        return httpx.Response(200, stream=httpx.ByteStream(BODY))

    hub, other = tried("https://huggingface.co/datasets/x", home, answer)
    assert hub.headers["Authorization"] == "Bearer s3cret-token-of-mine"
    assert "Authorization" not in other.headers


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Content-Encoding": "gzip"}, "compresses it"),
        ({"Content-Length": str(10**18)}, "has no room"),
    ],
)
def test_what_cannot_be_taken(home, headers, said):
    with pytest.raises(SpanbridgeError, match=said):
        tried("https://a.example/x", home, lambda _: httpx.Response(200, headers=headers))


def test_neither_keys_nor_addresses_with_keys_are_shown(server, home, monkeypatch):
    secret = "s3cret-token-of-mine"
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", secret)
    server.serve("/datasets/x", secret.encode(), status=404)
    text = refused("https://huggingface.co/datasets/x?token=abcdefgh", home)
    assert secret not in text
    assert "abcdefgh" not in text
    assert server.asked[0][1]["Authorization"] == f"Bearer {secret}"
    server.serve("/x", status=404)
    refused(f"{server.url}/x", home)  # not the Hub
    assert "Authorization" not in server.asked[-1][1]


def test_nobody_there_and_no_proxy_there(home, monkeypatch):
    text = refused("http://127.0.0.1:9/x", home)
    assert "no answer (connection refused), 5 times" in text
    monkeypatch.setenv("HTTP_PROXY", "http://me:pa55word@127.0.0.1:9")
    text = refused("http://data.invalid/x", home)
    assert "through the proxy of the environment" in text
    assert "pa55word" not in text
    monkeypatch.setenv("HTTP_PROXY", "nonsense://")
    assert "the proxy or the certificates" in refused("http://data.invalid/x", home)
    monkeypatch.delenv("HTTP_PROXY")
    monkeypatch.setenv("SSL_CERT_FILE", "nosuch.pem")  # those read before do not count
    assert "the proxy or the certificates" in refused("http://data.invalid/x", home)


def test_get_fetches_once_and_notices_changes(server, home):
    server.serve("/de", ROW.encode())
    server.serve("/sw", ROW.encode())
    toy = describe(home, f"{server.url}/{{language}}")
    assert toy.needs_download
    (got,) = toy.get(["deu"])
    assert (got.language, got.fetched, got.known) == ("de", True, False)
    assert next(toy.read("de", "test")).target.words == ("Ana",)
    assert not toy.needs_download
    assert [one.fetched for one in toy.get()] == [False, True]
    assert [path for path, _ in server.asked] == ["/de", "/sw"]
    record = json.loads((home / "toy" / "de.conll.fetched.json").read_text())
    assert record["url"] == f"{server.url}/de"
    assert record["files"] == {"de.conll": hashlib.sha256(ROW.encode()).hexdigest()}
    (home / "toy" / "de.conll").write_text(ROW.replace("Ana", "Eve"), "utf-8")
    with pytest.raises(InputError, match=r"damaged.*fetch it again \(spanbridge data get toy\)"):
        toy.files("de", "test")
    assert [one.fetched for one in toy.get(["de"])] == [True]
    assert next(toy.read("de", "test")).target.words == ("Ana",)


def test_a_known_digest_is_demanded(server, home):
    server.serve("/de", ROW.encode())
    digest = hashlib.sha256(ROW.encode()).hexdigest()
    toy = describe(home, f"{server.url}/{{language}}", f"sha256: {{toy/de.conll: {digest}}}\n")
    assert [one.known for one in toy.get(["de"])] == [True]
    beside = home / "datasets" / "toy.sha256"
    beside.write_text(f"{'0' * 64}  toy/sw.conll\n", "utf-8")
    server.serve("/sw", ROW.encode())
    with pytest.raises(SpanbridgeError, match="was expected"):
        list(describe(home, f"{server.url}/{{language}}").get(["sw"]))
    beside.write_text("nonsense\n", "utf-8")
    with pytest.raises(InputError, match=r"toy.sha256:1: is no line of sha256sum"):
        describe(home, f"{server.url}/{{language}} ")


def test_a_file_of_the_users_own_is_not_overwritten(server, home):
    server.serve("/de", ROW.encode())
    toy = describe(home, f"{server.url}/{{language}}")
    own = home / "other" / "toy" / "de.conll"
    own.parent.mkdir(parents=True)
    own.write_text("mine", "utf-8")
    with pytest.raises(InputError, match="was not fetched; remove it"):
        list(toy.get(["de"], to=home / "other"))
    assert own.read_text() == "mine"


def test_a_folder_that_cannot_be_written(server, home):
    toy = describe(home, server.serve("/de"))
    (home / "file").write_text("")
    with pytest.raises(InputError, match="--to FOLDER names another folder"):
        list(toy.get(["de"], to=home / "file"))
