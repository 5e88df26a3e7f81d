"""Pages are sent packed: a phone on a slow network waits for a fifth of the bytes.

What is packed could tell its secrets by its length (BREACH): whoever makes somebody's browser ask
for a page with a guess in its address sees a shorter answer when the guess is right. Three things
stand against that. Cookies are `SameSite=Lax`, so that no other site's picture or form asks as its
visitor; the tokens of forms are masked anew in each answer; and Django adds up to 100 random bytes
to what is packed ("Heal the BREACH", Palacios et al. 2022).
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# Pictures, PDFs and archives are packed already: doing it again costs time and gains nothing.
PACKED = ("text/", "application/json", "application/manifest+json", "image/svg+xml")


class CompressionMiddleware(GZipMiddleware):
    """Packs texts for those who accept it. Static files have packed copies beside them."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not response.get("Content-Type", "").startswith(PACKED):
            return response
        return super().process_response(request, response)
