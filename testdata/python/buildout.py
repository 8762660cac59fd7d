"""Reads deploy.cfg files as buildout itself does.

stdin: {"NAME": {"text": ..., "base": FOLDER or null}}, stdout: for each name
{"parsed": sections of this file alone, "effective": sections over the base
with every reference put in, where a base is given} or {"error": ...}.
"""

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")

from zc.buildout import buildout, configparser  # noqa: E402


def effective(text, base):
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, "buildout")
        shutil.copytree(base, folder)
        path = os.path.join(folder, "deploy.cfg")
        with open(path, "w") as f:
            f.write(text)
        here = os.getcwd()
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                b = buildout.Buildout("deploy.cfg", [], False, "query")
                return {
                    name: {k: v.replace(folder, "/release") for k, v in b[name].items()}
                    for name in sorted(b)
                }
        finally:
            os.chdir(here)


def read(text, base):
    answer = {"parsed": configparser.parse(io.StringIO(text), "deploy.cfg")}
    if base:
        answer["effective"] = effective(text, base)
    return answer


answers = {}
for name, request in json.load(sys.stdin).items():
    try:
        answers[name] = read(request["text"], request.get("base"))
    except Exception as e:
        answers[name] = {"error": "%s: %s" % (type(e).__name__, e)}
json.dump(answers, sys.stdout)
