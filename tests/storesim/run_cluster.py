#!/usr/bin/env python3
"""Three servers and simulated stores on this machine, with a table once a second: what `make run` does.

Ends on Ctrl-C, or by itself when balanced with --until-balanced; leaves no process and no file behind.
"""

import argparse
import ctypes
import json
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
USUAL_PORTS = [2379, 2380, 2381, 2382, 2383, 2384]
PR_SET_PDEATHSIG = 1


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def pick_ports(count, usual):
    """The usual ports if wanted and free, else free ones below the range of outgoing connections."""
    if usual and all(is_free(port) for port in USUAL_PORTS[:count]):
        return USUAL_PORTS[:count]
    candidates = random.sample(range(20000, 30000), 1000)
    free = [port for port in candidates if is_free(port)]
    return free[:count]


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def http(method, url, body=None, timeout=2.0):
    """The decoded answer; None if nobody answers or the status is no success."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.loads(answer.read() or b"null")
    except (urllib.error.URLError, OSError, ValueError):
        return None


class Cluster:
    def __init__(self, binaries, folder, members, usual_ports):
        self.binaries = binaries
        self.folder = folder
        self.processes = []
        ports = pick_ports(2 * members, usual_ports)
        self.client_urls = [f"http://127.0.0.1:{port}" for port in ports[0::2]]
        self.peer_urls = [f"http://127.0.0.1:{port}" for port in ports[1::2]]
        self.names = [f"pd{i + 1}" for i in range(members)]

    def spawn(self, command, **kwargs):
        # A session of its own: Ctrl-C reaches us only, and we end our children in order.
        process = subprocess.Popen(command, start_new_session=True, preexec_fn=die_with_parent, **kwargs)
        self.processes.append(process)
        return process

    def start(self):
        initial = ",".join(f"{n}={u}" for n, u in zip(self.names, self.peer_urls))
        for name, client, peer in zip(self.names, self.client_urls, self.peer_urls):
            out = open(self.folder / f"{name}.out", "wb")
            self.spawn([self.binaries / "pd-server", "--name", name, "--data-dir", self.folder / name,
                        "--client-urls", client, "--peer-urls", peer, "--initial-cluster", initial,
                        "--log-file", self.folder / f"{name}.log"], stdout=out, stderr=out)
        deadline = time.monotonic() + 20
        while self.leader() is None:
            if time.monotonic() > deadline or any(p.poll() is not None for p in self.processes):
                for name in self.names:
                    sys.stderr.write((self.folder / f"{name}.out").read_text(errors="replace")[-2000:])
                raise SystemExit("the servers do not come up")
            time.sleep(0.1)

    def leader(self):
        """The client URL of the leader."""
        for url in self.client_urls:
            answer = http("GET", url + "/pd/api/v1/leader", timeout=1.0)
            if answer and answer.get("client_urls"):
                return answer["client_urls"][0]
        return None

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + 5
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def table(leader):
    stores = http("GET", leader + "/pd/api/v1/stores") or {}
    operators = http("GET", leader + "/pd/api/v1/operators")
    lines = ["store    state         leaders  regions  pending  leader score  region score"]
    totals = [0, 0, 0]
    for entry in sorted(stores.get("stores") or [], key=lambda s: s["store"]["id"]):
        status = entry.get("status", {})
        counts = [status.get(k, 0) for k in ("leader_count", "region_count", "pending_peer_count")]
        totals = [a + b for a, b in zip(totals, counts)]
        lines.append("{:<8} {:<13} {:>7}  {:>7}  {:>7}  {:>12.1f}  {:>12.1f}".format(
            entry["store"]["id"], entry["store"].get("state_name", "?"), *counts,
            status.get("leader_score", 0), status.get("region_score", 0)))
    lines.append("{:<22} {:>7}  {:>7}  {:>7}".format("all", *totals))
    lines.append(f"operators running: {'?' if operators is None else len(operators)}")
    return lines


def show(lines, height):
    """Draws over the last table on a terminal, prints it below elsewhere."""
    if height and sys.stdout.isatty():
        sys.stdout.write(f"\x1b[{height}A\x1b[J")
    print("\n".join(lines), flush=True)
    return len(lines)


def watch(cluster, simulation, results):
    """A table a second until the simulation ends."""
    height = 0
    began = time.monotonic()
    shown = 0
    while simulation.poll() is None:
        leader = cluster.leader()
        lines = [f"{time.monotonic() - began:5.0f} s  leader {leader or 'none'}  dashboard {leader or ''}/dashboard"]
        lines += table(leader) if leader else []
        if len(results) > shown:
            shown = len(results)
            lines.append(results[-1])
        height = show(lines, height)
        time.sleep(1)


def run(options, cluster):
    cluster.start()
    print(f"dashboard: {cluster.leader()}/dashboard", flush=True)
    command = [options.bin / "pd-storesim", "--pd", ",".join(cluster.client_urls), "--scenario", options.scenario,
               "--quiet"]
    if not options.until_balanced:
        command.append("--hold")
    simulation = cluster.spawn(command, stdout=subprocess.PIPE, text=True)
    results = []
    reader = threading.Thread(target=lambda: results.extend(line.rstrip() for line in simulation.stdout))
    reader.start()
    watch(cluster, simulation, results)
    reader.join()
    if results:
        print(results[-1], flush=True)
    return simulation.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=pathlib.Path, default=HERE.parents[1] / "build/release/bin")
    parser.add_argument("--scenario", default=HERE / "scenarios/spread_from_three.json")
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--any-ports", action="store_true", help="free ports even where the usual ones are free")
    parser.add_argument("--until-balanced", action="store_true")
    options = parser.parse_args()
    options.bin = options.bin.resolve()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quartermaster-run-"))
    cluster = Cluster(options.bin, folder, options.members, not options.any_ports)
    try:
        return run(options, cluster)
    except KeyboardInterrupt:
        return 0
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
