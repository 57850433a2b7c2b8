"""A forked child makes its own clients: connections are the parent's, and so is a client that is just being made."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import gc, os, signal, sys, threading, time
import boto3, limner
from limner_bedrock import BedrockSettings, clients, transport

def settings(**more):
    return BedrockSettings.of({"region": "us-west-2", "endpoint_url": sys.argv[1]} | more)

def send():
    return transport.invoke(settings(), limner.Request("m", b"{}")).body

making = threading.Event()

class Slow(boto3.Session):
    def client(self, *args, **kwargs):
        making.set()
        time.sleep(0.3)
        return super().client(*args, **kwargs)

send()
parents = clients.client_for(settings(), None)
threading.Thread(target=clients.client_for, args=(settings(session=Slow()), None)).start()
making.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    own = clients.client_for(settings(), None)
    os._exit(0 if send() == b"{}" and own is not parents and gc.isenabled() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert send() == b"{}" and clients.client_for(settings(), None) is parents
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_parent_and_child_go_on(stub):
    done = subprocess.run([sys.executable, "-c", PROGRAM, stub.url], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(stub.requests) == 3
