"""A client for the tests of the front end: waitress as plone.recipe.zope2instance
sets it up, which says what reached it, as Zope's own code reads it.

Arguments: the address with its port, and max_request_body_size. A request for ?head=SIZE is answered
with a line of that size in the head, ?heads=N with N lines of a kilobyte.
"""

import json
import sys
import urllib.parse

import waitress
from ZPublisher.HTTPRequest import parse_cookie


def application(environ, start_response):
    cookies = {}
    parse_cookie(environ.get("HTTP_COOKIE", ""), cookies)
    length = 0
    while chunk := environ["wsgi.input"].read(65536):
        length += len(chunk)
    body = json.dumps({
        "path": environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        "query": environ.get("QUERY_STRING", ""),
        "cookies": sorted(cookies),
        "authorization": environ.get("HTTP_AUTHORIZATION", ""),
        "length": length,
    }).encode()
    query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if "head" in query:
        headers.append(("X-Long", "x" * int(query["head"][0])))
    for n in range(int(query.get("heads", ["0"])[0])):
        headers.append(("X-Line-%d" % n, "x" * 1000))
    start_response("200 OK", headers)
    return [body]


waitress.serve(
    application,
    listen=sys.argv[1],
    threads=4,
    max_request_body_size=int(sys.argv[2]),
    clear_untrusted_proxy_headers=False,
)
