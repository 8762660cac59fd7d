"""Reads zope.conf and zeo.conf by their own schemas.

stdin: {"NAME": FILE}, stdout: what each says that matters, by name.
"""

import configparser
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")

import ZConfig  # noqa: E402
from ZEO.runzeo import ZEOOptions  # noqa: E402
from Zope2.Startup.options import ZopeWSGIOptions  # noqa: E402


def plain(config, names):
    values = {name: getattr(config, name, None) for name in names}
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = [":".join(map(str, v.address)) for v in value]
    return values


def zope(path):
    root = ZopeWSGIOptions(path)().configroot
    (main,) = [d for d in root.databases if d.name == "main"]
    storage = main.config.storage.config
    names = "server blob_dir shared_blob_dir cache_size var client".split()
    adapter = getattr(storage, "adapter", None)
    ini = configparser.ConfigParser()
    ini.read(os.path.join(os.path.dirname(path), "wsgi.ini"))
    server = dict(ini["server:main"])
    server.pop("use", None)
    server.pop("paste.server_factory", None)  # the recipe's, which calls waitress, too
    dos = root.dos_protection
    return {
        "server": server,
        "eventlog": {k: v for k, v in ini.items("handler_eventlog", raw=True) if k != "kwargs" or v != "{}"},
        "loggers": {s: ini[s]["level"] for s in ini.sections() if s.startswith("logger_")},
        "debug": root.debug_mode,
        "verbose": root.verbose_security,
        "trusted": list(root.trusted_proxies),
        "forms": dos and [dos.form_memory_limit, dos.form_disk_limit],
        "environment": root.environment,
        "cache-size": main.config.cache_size,
        "kind": storage.getSectionType(),
        "dsn": adapter and adapter.config.dsn,
        "storage": plain(storage, names),
    }


def zeo(path):
    options = ZEOOptions()
    options.realize(["-C", path])
    (storage,) = options.storages
    return {
        "address": list(options.address),
        "storage": plain(storage.config, ["path", "blob_dir"]),
    }


# As bin/clientN has it where it does not serve.
os.environ["PLONEC_ZEO_CACHE"] = ""
answers = {}
for name, path in json.load(sys.stdin).items():
    read = zeo if os.path.basename(path) == "zeo.conf" else zope
    try:
        answers[name] = read(path)
    except (Exception, SystemExit) as e:
        answers[name] = {"error": "%s: %s" % (type(e).__name__, e)}
json.dump(answers, sys.stdout)
