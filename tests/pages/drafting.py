"""Reading the page of a checklist in the making."""

import re
from html.parser import HTMLParser

from tests.pages.page_texts import form_key


class _Texts(HTMLParser):
    """The text of a page, without what is folded away from nobody."""

    def __init__(self):
        super().__init__()
        self.said = []

    def handle_data(self, data):
        self.said.append(data)


def text_of(response):
    """What a page says, in one line."""
    reader = _Texts()
    reader.feed(response.text)
    return " ".join(" ".join(reader.said).split())


def key_of(client, address):
    """The key of the forms of a page."""
    return form_key(client.get(address))


def asked(response):
    """The facts that a page asks, in its order."""
    return re.findall(r'id="ask-([a-z_0-9]+)"', response.text)
