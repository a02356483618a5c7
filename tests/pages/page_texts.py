"""Reading a page as a test client gets it."""

import html
import re


def form_key(response):
    """The key that the forms of a page carry."""
    return re.search(r'name="form_key" value="([^"]*)"', response.text)[1]


def fields(response, action):
    """The hidden fields of the form that goes there, as a browser would send them."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', response.text, re.DOTALL)[
        1
    ]
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in hidden}


def words(response):
    """What a person reads on a page, in one line."""
    body = re.sub(r"<(script|style|template)\b.*?</\1>", " ", response.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
