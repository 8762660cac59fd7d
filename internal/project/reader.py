"""Reads configurations as buildout itself does, and runs nothing of them.

stdin: {"folder": PATH, "files": {NAME: TEXT}, "mains": [NAME]}, the folder not being
there; stdout: a list of, for each main,
{"error": what kept buildout from reading it, "own": {SECTION: {OPTION: [VALUE,
[[OPERATION, FILE, VALUE], ...]]}}, "effective": {SECTION: {OPTION: VALUE}},
"errors": {SECTION: [KIND, WORDS...]}}. A section with more text than "most" characters,
or for which memory does not suffice, has the KIND MemoryError.
"""

import json
import logging
import os
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
sys.setrecursionlimit(3000)

from zc.buildout import buildout, configparser, download, easy_install  # noqa: E402

# plonec has worked out the expressions of headers: one that is left is refused, and so
# is whatever would install, fetch or start anything.


def refuse(*args, **kw):
    raise RuntimeError("plonec does not run this")


configparser.eval = configparser.Marker = refuse
assert callable(buildout.Options.initialize)
buildout.Options.initialize = lambda self: None  # of recipes
buildout._install_and_load = easy_install.install = easy_install.develop = refuse
download.Download.download = refuse
os.system = os.popen = os.fork = os.posix_spawn = refuse

request = json.load(sys.stdin)
folder = request["folder"]
os.makedirs(folder)
for name, text in request["files"].items():
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)
os.chdir(folder)
# Nor does it make the folders of a buildout, or go there.
os.makedirs = os.mkdir = os.chdir = lambda *args, **kw: None
stdout, sys.stdout = sys.stdout, sys.stderr


def entry(value):
    if isinstance(value, tuple):  # of an old buildout
        return [value[0], [["SET", os.path.basename(value[1]), value[0]]]]
    return [
        value.value,
        [
            [item.operation, os.path.basename(item.source or ""), item.value]
            for item in value.history
        ],
    ]


def read(main):
    answer = {"error": "", "own": {}, "effective": {}, "errors": {}}
    reading = buildout.Buildout.__new__(buildout.Buildout)
    try:
        reading.__init__(main, [], False)
    except Exception as e:
        answer["error"] = "%s: %s" % (type(e).__name__, e)
        if not hasattr(reading, "_raw"):
            return answer
    for section, options in reading._annotated.items():
        answer["own"][section] = {k: entry(v) for k, v in options.items()}
    versions = reading._raw["buildout"].get("versions", "versions")
    for section in sorted(reading._raw):
        if section == versions:
            continue
        try:
            options = reading[section]
            values = {k: options[k] for k in options.keys() if k != "<"}
            if sum(map(len, values.values())) > request["most"]:
                raise MemoryError
            answer["effective"][section] = values
        except Exception as e:
            answer["errors"][section] = [type(e).__name__] + [str(a) for a in e.args]
    return answer


json.dump([read(main) for main in request["mains"]], stdout)
