#!/bin/bash
# ZEO 6.2, ZODB 6.4: a client keeps up to 99 ids for objects that it is going to
# make. A server that is started again does not know that it gave them away, gives
# them to the next client, and the first one does not drop its own when it connects
# again. Its next new objects then have the ids of objects that are there:
#
# - where it knows the other client's object, be it as a ghost of what it has read,
#   the write ends in ValueError, "A different object already has the same oid",
#   which is no conflict that a publisher tries again: the visitor gets a 500;
# - where it does not, it is a ConflictError, which is tried again with the next id.
#
# Nothing is overwritten. Restarting the clients ends it.
#
# It installs the packages into a temporary folder, needs python3 with venv, and
# fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check ZEO==6.2 ZODB==6.4 persistent==6.9 transaction==5.1 zodbpickle==4.5
cat >ids.py <<'PYTHON'
import os
import socket
import subprocess
import sys
import time

import transaction
import ZODB
from persistent.mapping import PersistentMapping
from ZEO.ClientStorage import ClientStorage
from ZODB.POSException import ConflictError

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    address = s.getsockname()


def serve():
    argv = [os.path.dirname(sys.executable) + "/runzeo", "-a", "%s:%d" % address, "-f", "Data.fs"]
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(address).close()
            return process
        except OSError:
            time.sleep(0.1)
    sys.exit("the server does not start")


class Client:
    def __init__(self):
        self.storage = ClientStorage(address, wait_timeout=20)
        self.manager = transaction.TransactionManager()
        self.connection = ZODB.DB(self.storage).open(self.manager)
        self.root = self.connection.root()

    def put(self, name, box=None):
        """Writes a new object into the root, or into a box there; its id, or the error."""
        self.manager.begin()
        try:
            thing = PersistentMapping(name=name)
            (self.root[box] if box else self.root)[name] = thing
            self.manager.commit()
            return int.from_bytes(thing._p_oid, "big")
        except (ValueError, ConflictError) as e:
            self.manager.abort()
            return "%s: %s" % (type(e).__name__, str(e).split(" (")[0])


def restarted(process):
    process.terminate()
    process.wait()
    process = serve()
    deadline = time.monotonic() + 20
    while not first.storage.is_connected():
        assert time.monotonic() < deadline, "the client does not connect again"
        time.sleep(0.1)
    return process


server = serve()
try:
    first = Client()
    print("first client, one object:", first.put("one"))
    print("ids that it keeps:", len(first.storage._oids))

    server = restarted(server)
    second = Client()
    print("second client, after a restart:", second.put("two"))
    time.sleep(1)
    first.manager.begin()
    assert first.root["two"]["name"] == "two"  # it is in the first one's cache now
    print("first client, which has read that object:", first.put("three"))
    print("first client, once more:", first.put("three"))

    server = restarted(server)
    third = Client()
    print("third client, after a restart, into a box:", third.put("four", "two"))
    time.sleep(1)
    first.manager.begin()
    first.connection.cacheMinimize()
    print("first client, which has not looked into the box:", first.put("five"))
    print("first client, once more:", first.put("five"))

    for client in first, second, third:
        client.manager.begin()
        client.connection.cacheMinimize()
        for name, thing in [*client.root.items(), ("four", client.root["two"]["four"])]:
            assert thing["name"] == name, "one object is in the place of another"
    print("every object is as it was written")
finally:
    server.terminate()
    server.wait()
PYTHON
timeout 120 venv/bin/python ids.py >said
cat said
diff - said <<'SAID' || { echo "this is not so any more" >&2 && exit 1; }
first client, one object: 1
ids that it keeps: 99
second client, after a restart: 2
first client, which has read that object: ValueError: A different object already has the same oid
first client, once more: 3
third client, after a restart, into a box: 4
first client, which has not looked into the box: ConflictError: database conflict error
first client, once more: 5
every object is as it was written
SAID
