"""Asks Zope, started with a zope.conf, for the visitor's address of requests.

stdin: {"conf": FILE, "requests": [[REMOTE_ADDR, X-FORWARDED-FOR], …]}, stdout: what
getClientAddr() gives for each.
"""

import io
import json
import sys
import warnings

warnings.simplefilter("ignore")

from Zope2.Startup.handlers import root_wsgi_handler  # noqa: E402
from Zope2.Startup.options import ZopeWSGIOptions  # noqa: E402
from ZPublisher.HTTPRequest import HTTPRequest  # noqa: E402
from ZPublisher.HTTPResponse import HTTPResponse  # noqa: E402

asked = json.load(sys.stdin)
root_wsgi_handler(ZopeWSGIOptions(asked["conf"])().configroot)


def address(remote, forwarded):
    environ = {"SERVER_NAME": "localhost", "SERVER_PORT": "8081", "REQUEST_METHOD": "GET", "REMOTE_ADDR": remote}
    if forwarded:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    return HTTPRequest(io.BytesIO(), environ, HTTPResponse(stdout=io.BytesIO())).getClientAddr()


json.dump([address(*request) for request in asked["requests"]], sys.stdout)
