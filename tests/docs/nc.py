"""Stands in for netcat: sends standard input to HOST PORT, then prints what comes back."""

import shutil
import socket
import sys

if __name__ == "__main__":
    option, host, port = sys.argv[1:]
    assert option == "-N"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(sys.stdin.buffer.read())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as back:
            shutil.copyfileobj(back, sys.stdout.buffer)
