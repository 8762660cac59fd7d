import os
import platform

from Products.Five.browser import BrowserView


class Python(BrowserView):
    """What the site runs on."""

    def __call__(self):
        return "Python %s, %s" % (platform.python_version(), os.environ["OF_THE_PROJECT"])
