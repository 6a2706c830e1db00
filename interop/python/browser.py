"""A person at a browser without JavaScript: keeps cookies, follows redirects, sends the forms."""

import os
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

# Where the demo client lets answers be sent. Nothing listens there: only the address is read.
CALLBACK = "http://127.0.0.1/callback"


def given(*names):
    """What the test was started with; every name is required."""
    missing = [name for name in names if not os.environ.get(name)]
    ensure(not missing, f"not set in the environment: {', '.join(missing)}")
    return [os.environ[name] for name in names]


def ensure(condition, words):
    """Ends the program with words when a condition does not hold."""
    if not condition:
        raise SystemExit(words)


def sign_in(authorization_url, username, password):
    """Opens the URL, signs in, agrees, and returns the callback URL with its answer."""
    known = {"username": username, "password": password}
    profile = requests.Session()
    method, url, fields = "GET", authorization_url, None
    for _ in range(10):
        response = profile.request(method, url, data=fields, allow_redirects=False, timeout=10)
        if "location" in response.headers:
            method, url, fields = "GET", urljoin(url, response.headers["location"]), None
            if url.startswith(CALLBACK + "?"):
                return url
            continue
        page = Page()
        page.feed(response.text)
        ensure(response.ok, f"{url} answered {response.status_code}: {page.words()}")
        method, url = "POST", urljoin(url, page.action)
        fields = page.filled_in(known)
    raise SystemExit(f"no answer at the callback after ten pages; the last was {url}")


class Page(HTMLParser):
    """A page: its words and its first form."""

    def __init__(self):
        super().__init__()
        self.action = None
        self.controls = []
        self.inside = False
        self.text = []

    def handle_data(self, data):
        self.text.extend(data.split())

    def words(self):
        """What a person reads on the page."""
        return " ".join(self.text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = attributes.get("action", "")
            self.inside = True
        elif self.inside and tag in ("input", "button"):
            self.controls.append(attributes)

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False

    def filled_in(self, known):
        """What is hidden as it is, what a person knows filled in, `allow` pressed."""
        ensure(self.action is not None, "no form in the page")
        fields = []
        for control in self.controls:
            name, value = control.get("name"), control.get("value", "")
            if name in known:
                fields.append((name, known[name]))
            elif control.get("type") == "hidden" or (name, value) == ("decision", "allow"):
                fields.append((name, value))
        return fields
