"""A page of ours drawn as a PDF by WeasyPrint. To import this needs Pango: OSError where it is missing.

Nothing is fetched but our own style sheets, from memory; and nothing of a page is logged.
"""

import logging
from urllib.parse import urlsplit

from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from service.pages.assets import ASSETS, address

_HERE = "https://dosegate.invalid"  # what addresses without a host are taken to be at; nobody is there

# WeasyPrint's messages quote the page, and a page may name a patient.
logging.getLogger("weasyprint").propagate = False
logging.getLogger("fontTools").propagate = False


class _OwnAssets(URLFetcher):  # type: ignore[misc]
    """Gives style sheets of ours, and nothing else."""

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """The asset at an address of this page. Raises ValueError for any other address."""
        for name, asset in ASSETS.items():
            if url == _HERE + address(name):
                return URLFetcherResponse(url, asset.content, {"Content-Type": asset.type})
        raise ValueError(f"not fetched: {urlsplit(url).scheme}")


def draw(page: str, identifier: str) -> bytes:
    """A page as a tagged PDF. The same page with the same identifier gives the same bytes."""
    document = HTML(string=page, base_url=_HERE, url_fetcher=_OwnAssets(allowed_protocols=()))
    drawn: bytes = document.write_pdf(pdf_tags=True, pdf_version="1.7", pdf_identifier=identifier.encode())
    return drawn
