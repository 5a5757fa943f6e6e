"""The first process of a deliberately weak container: a dummy engine's socket, and its own cgroup made writable."""

import ctypes
import pathlib
import socket
import threading

libc = ctypes.CDLL(None, use_errno=True)
REMOUNT_BIND = 0x20 | 0x1000

for words in map(str.split, pathlib.Path("/proc/self/mountinfo").read_text().splitlines()):
    if words[4].startswith("/sys/fs/cgroup"):
        # It is the container's own cgroup that is mounted there, and nothing is written but what was read.
        libc.mount(None, words[4].encode(), None, REMOUNT_BIND, None)

listener = socket.socket(socket.AF_UNIX)
pathlib.Path("/run").mkdir(exist_ok=True)
listener.bind("/run/docker.sock")
listener.listen()


def serve():
    while True:
        client, _ = listener.accept()
        with client:
            client.recv(512)
            client.sendall(b"HTTP/1.0 200 OK\r\n\r\nOK")


threading.Thread(target=serve).start()
print("ready", flush=True)
