"""Pages are sent packed to those who accept it; what is packed already goes as it is."""

import gzip
from collections.abc import Iterator
from io import BytesIO

import pytest
from django.conf import settings
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from config.compression import CompressionMiddleware

PAGE = "<p>Welcome to the club</p>" * 100


def sent(response: HttpResponseBase, accepted: str = "br, gzip") -> HttpResponseBase:
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepted})
    return CompressionMiddleware(lambda _: response).process_response(request, response)


@pytest.mark.django_db
def test_a_page_arrives_packed_and_is_the_same_page() -> None:
    plain = Client().get("/accounts/login/")
    packed = Client().get("/accounts/login/", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert "Accept-Encoding" in plain["Vary"]
    assert "Content-Encoding" not in plain
    assert len(packed.content) < len(plain.content) / 2
    title = plain.content.split(b"<title>")[1].split(b"</title>")[0]
    assert b"<title>" + title + b"</title>" in gzip.decompress(packed.content)
    assert packed["Content-Length"] == str(len(packed.content))


def test_whoever_does_not_accept_it_gets_it_plain() -> None:
    answer = sent(HttpResponse(PAGE), accepted="")
    assert isinstance(answer, HttpResponse)
    assert answer.content.decode() == PAGE


def test_the_length_says_nothing_about_the_words() -> None:
    lengths = {len(sent(HttpResponse(PAGE)).content) for _ in range(40)}  # type: ignore[attr-defined]
    assert len(lengths) > 1
    assert settings.SESSION_COOKIE_SAMESITE == settings.CSRF_COOKIE_SAMESITE == "Lax"


def test_a_long_export_is_packed_as_it_is_written() -> None:
    def rows() -> Iterator[bytes]:
        for number in range(1000):
            yield f"{number},Ana,Lisbon\r\n".encode()

    answer = sent(StreamingHttpResponse(rows(), content_type="text/csv"))
    assert isinstance(answer, StreamingHttpResponse)
    whole = gzip.decompress(b"".join(answer))
    assert whole.count(b"\r\n") == 1000


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "application/zip", ""])
def test_what_is_packed_already_is_sent_as_it_is(kind: str) -> None:
    answer = sent(HttpResponse(b"\x00" * 5000, content_type=kind))
    assert "Content-Encoding" not in answer


def test_a_picture_keeps_its_length() -> None:
    answer = sent(FileResponse(BytesIO(b"\x89PNG" + b"\x00" * 5000), content_type="image/png"))
    assert answer["Content-Length"] == "5004"
