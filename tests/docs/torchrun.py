"""Stands in for torchrun, with two processes instead of as many as there are.

    python torchrun.py OPTION ... -m linnet ARGUMENT ...

Both are one machine's. Of a line that is given on each of two machines this machine is both, each with a
process.
"""

import argparse
import socket
import subprocess
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--standalone", action="store_true")
    parser.add_argument("--nnodes", type=int, choices=[1, 2], default=1)
    parser.add_argument("--nproc-per-node", type=int, required=True)
    parser.add_argument("--rdzv-backend", choices=["c10d"])
    parser.add_argument("--rdzv-endpoint")
    parser.add_argument("-m", dest="module", choices=["linnet"], required=True)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    assert options.standalone or options.rdzv_backend
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(2 // options.nnodes)]
    if options.standalone:
        words.append("--standalone")
    else:
        assert options.rdzv_endpoint.rpartition(":")[2].isdecimal()
        words += ["--nnodes", str(options.nnodes), "--rdzv-backend", options.rdzv_backend]
        words += ["--rdzv-endpoint", f"localhost:{free_port()}", "--local-addr", "localhost"]
    words += [str(Path(__file__).with_name("briefly.py")), *options.arguments]
    machines = [subprocess.Popen(words) for _ in range(options.nnodes)]
    return max(abs(machine.wait()) for machine in machines)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
