"""What the load test asks for. No answer may come from a cache, and each says
which process gave it and repeats the request's token, so that an answer to
another request is noticed."""

import json
import os
import re
import time
import zlib

import transaction
from App.config import getConfiguration
from BTrees.OOBTree import OOBTree
from Products.Five.browser import BrowserView
from zope.interface import alsoProvides

try:
    from plone.protect.interfaces import IDisableCSRFProtection
except ImportError:  # Zope without Plone
    IDisableCSRFProtection = None

# The directory that the process was started in, links resolved: the release.
RELEASE = os.getcwd()
# At the root of Zope. The underscore keeps it out of addresses.
ATTRIBUTE = "_plonec_testsite_ledger"
# Two writes at once seldom meet in one of so many trees; where they do and it
# cannot be merged, Zope runs the request again.
TREES = 128


class View(BrowserView):
    def answer(self, text, status=200, content_type="text/plain"):
        response = self.request.response
        response.setStatus(status)
        response.setHeader("Content-Type", content_type + "; charset=utf-8")
        response.setHeader("Cache-Control", "no-store")
        return text

    def refuse(self, status, text):
        return self.answer(text + "\n", status)

    def identify(self):
        """The lines that the meter reads."""
        token = self.request.form.get("token", "")
        return self.answer(
            "release %s\nclient %s\npid %d\ntoken %s\n"
            % (RELEASE, client(), os.getpid(), token if valid(token) else "")
        )


def client():
    """The name of the part, client1: that of the folder with its zope.conf."""
    return os.path.basename(getConfiguration().instancehome.rstrip("/"))


def valid(token):
    return isinstance(token, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,100}", token)


class Page(View):
    def __call__(self):
        return self.identify()


class Slow(View):
    def __call__(self):
        try:
            seconds = float(self.request.form.get("seconds", "2.5"))
        except (TypeError, ValueError):
            seconds = -1
        if not 0 <= seconds <= 30:
            return self.refuse(400, "seconds is a number from 0 to 30")
        time.sleep(seconds)
        return self.identify()


class Write(View):
    """Counts the token. ZPublisher commits after the view and before it starts
    the answer, and answers 500 or 503 when the commit failed: who reads 200
    has it in the database."""

    def __call__(self):
        if self.request.get("REQUEST_METHOD") != "POST":
            self.request.response.setHeader("Allow", "POST")
            return self.refuse(405, "a write is a POST")
        token = self.request.form.get("token")
        if not valid(token):
            return self.refuse(400, "token is 1 to 100 of A-Z a-z 0-9 . _ -")
        if IDisableCSRFProtection is not None:
            alsoProvides(self.request, IDisableCSRFProtection)
        trees = ledger(self.context)
        tree = trees[zlib.crc32(token.encode()) % TREES]
        tree[token] = tree.get(token, 0) + 1
        return self.identify()


class Ledger(View):
    """Every token and how often it was written."""

    def __call__(self):
        # What another client has committed may still be under way to this one.
        # The ZEO server answers after it has told all.
        storage = self.context.getPhysicalRoot()._p_jar.db().storage
        ping = getattr(storage, "ping", None)
        if ping is not None:
            ping()
        transaction.begin()
        root = self.context.getPhysicalRoot()
        counts = {}
        for tree in getattr(root, ATTRIBUTE, {}).values():
            counts.update(tree)
        return self.answer(json.dumps(counts), content_type="application/json")


def ledger(context):
    root = context.getPhysicalRoot()
    trees = getattr(root, ATTRIBUTE, None)
    if trees is None:
        trees = OOBTree({n: OOBTree() for n in range(TREES)})
        setattr(root, ATTRIBUTE, trees)
    return trees
