"""A Kubernetes control plane of our own: etcd, API server, controllers, scheduler, and kwok in place of kubelets.

Everything is in a temporary folder and on ports of its own, so that two planes never meet, and ends with the process
that started it, however that ends.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from tests import tools

HERE = Path(__file__).resolve().parent
TETHER = HERE / "tether.py"
STAGES = HERE / "stages.yaml"
HOST = "127.0.0.1"
START_SECONDS = 120.0  # on a busy machine; a quiet one needs about ten


class PlaneError(Exception):
    """The control plane does not do what it must. The text holds the end of the log that tells why."""


class Plane:
    """`with Plane() as plane:` has a control plane without nodes: `plane.kubectl("get", "pods")`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dynagen-e2e-"))
        self.notes: dict[str, str] = {}  # what its users want to remember about it
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports: list[socket.socket] = []
        self._old_handler: Any = None

    def __enter__(self) -> Self:
        try:
            self._end_on_sigterm()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def kubectl(self, *arguments: str, input: str | None = None, check: bool = True) -> str:
        """What `kubectl` prints. With `check`, raises PlaneError when it fails, with what it complains about."""
        run = self.try_kubectl(*arguments, input=input)
        if check and run.returncode:
            raise PlaneError(f"kubectl {' '.join(arguments)}: exit code {run.returncode}\n{run.stderr}{run.stdout}")
        return run.stdout

    def try_kubectl(self, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        """For commands whose exit code is an answer, as it is for `diff`."""
        ours = {
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "KUBECACHEDIR": str(self.folder / "cache"),
            "KUBERC": "off",  # no preferences of the user
            "TMPDIR": str(self.folder),
        }
        theirs = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "TMPDIR"))}
        self._check_alive()
        return subprocess.run(
            [tools.path("kubectl"), *arguments],
            input=input or "", env=theirs | ours, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def get(self, *arguments: str, input: str | None = None) -> list[dict[str, Any]]:
        """The objects that `kubectl get` finds."""
        found = json.loads(self.kubectl("get", *arguments, "-o", "json", input=input) or '{"items": []}')
        items: list[dict[str, Any]] = found["items"] if found["kind"] == "List" else [found]
        return items

    def apply(self, objects: Sequence[dict[str, Any]]) -> None:
        """In no order, several at a time; server-side, because CRDs are too big for the annotation of the other way."""
        shards = [objects[number::_SHARDS] for number in range(_SHARDS)]
        command = ("apply", "--server-side", "--force-conflicts", "-f", "-")
        with ThreadPoolExecutor(_SHARDS) as pool:
            list(pool.map(lambda shard: self.kubectl(*command, input=to_list(shard)), filter(None, shards)))

    def add_nodes(self, nodes: Sequence[dict[str, Any]]) -> None:
        """They take pods when this returns."""
        self.apply(nodes)
        self.wait_until("nodes are ready", lambda: not any(map(_is_not_ready, self.get("nodes"))))

    def install(self, definitions: Sequence[dict[str, Any]]) -> None:
        """CustomResourceDefinitions, served when this returns. Those of the same names go first, with their objects."""
        names = [definition["metadata"]["name"] for definition in definitions]
        replaced = self._established() & set(names)
        if replaced:
            self.kubectl("delete", "crd", *sorted(replaced))
        self.apply(definitions)
        self.wait_until("definitions are served", lambda: set(names) <= self._established())
        shutil.rmtree(self.folder / "cache", ignore_errors=True)  # kubectl remembers which kinds there are

    def wait_until(self, what: str, done: Callable[[], object], seconds: float = START_SECONDS) -> None:
        """Asks again and again. Raises PlaneError, naming `what`, when a program dies or time is up."""
        deadline = time.monotonic() + seconds
        while not done():
            self._check_alive()
            if time.monotonic() > deadline:
                raise PlaneError(f"{what}: not after {seconds:.0f} s\n{self._logs()}")
            time.sleep(0.1)

    def _established(self) -> set[str]:
        conditions = "{{range .status.conditions}} {{.type}}={{.status}}{{end}}"
        template = f'{{{{range .items}}}}{{{{.metadata.name}}}}{conditions}{{{{"\\n"}}}}{{{{end}}}}'
        lines = self.kubectl("get", "crd", "-o", f"go-template={template}").splitlines()
        return {line.split()[0] for line in lines if "Established=True" in line.split()}

    def stop(self) -> None:
        """At once: nothing here is worth an orderly end."""
        for process in self._processes.values():
            if process.poll() is None:  # else its number may be somebody else's by now
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._processes.values():
            process.wait()
        self._processes.clear()
        for port in self._ports:
            port.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._old_handler is not None:
            signal.signal(signal.SIGTERM, self._old_handler)
            self._old_handler = None

    def _start(self) -> None:
        programs = {name: tools.path(name) for name in _PROGRAMS}  # built before the clock runs
        tools.path("kubectl")
        etcd, peer, api = (f"https://{HOST}:{self._port()}" for _ in range(3))
        etcd, peer = etcd.replace("https", "http"), peer.replace("https", "http")
        token = secrets.token_urlsafe(32)
        self._write("tokens.csv", f"{token},admin,admin,system:masters\n")
        self._write("service-accounts.pem", _private_key())
        self._write("kubeconfig", _kubeconfig(api, token))
        kubeconfig, key = f"--kubeconfig={self.folder}/kubeconfig", f"{self.folder}/service-accounts.pem"
        certificate = f"{self.folder}/certificates/apiserver.crt"

        # SO_REUSEPORT lets the two servers share the ports that we hold: no other program can take them meanwhile.
        self._run(
            programs["etcd"],
            f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync", "--log-level=warn", "--socket-reuse-port",
            f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        )  # fmt: skip
        self._run(
            programs["kube-apiserver"],
            f"--etcd-servers={etcd}", f"--bind-address={HOST}", "--permit-port-sharing",
            f"--secure-port={api.rpartition(':')[2]}", f"--cert-dir={self.folder}/certificates",
            f"--token-auth-file={self.folder}/tokens.csv", "--authorization-mode=RBAC",
            f"--service-account-issuer={api}", f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.0.0.0/16",
            # GKE runs it: it adds the toleration for nvidia.com/gpu to every pod that asks for GPUs.
            # source: https://cloud.google.com/kubernetes-engine/docs/how-to/gpus
            "--enable-admission-plugins=ExtendedResourceToleration",
            "--endpoint-reconciler-type=none", "--allow-privileged",
        )  # fmt: skip
        self.wait_until("kube-apiserver is ready", lambda: _is_ready(api))
        self._run(
            programs["kube-controller-manager"],
            kubeconfig, "--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000",
            f"--service-account-private-key-file={key}", f"--root-ca-file={certificate}",
            "--pvclaimbinder-sync-period=1s",
        )  # fmt: skip
        self._run(
            programs["kube-scheduler"],
            kubeconfig, "--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000",
        )  # fmt: skip
        self._run(
            programs["kwok"],
            kubeconfig, f"--config={STAGES}", "--manage-all-nodes=true", "--node-port=0",
            "--node-lease-duration-seconds=40",
        )  # fmt: skip
        self.wait_until(
            "kube-controller-manager makes service accounts",
            lambda: self.kubectl("get", "serviceaccount", "default", "--ignore-not-found"),
        )

    def _port(self) -> int:
        """A port that stays ours: it is bound here, though nothing listens."""
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((HOST, 0))
        self._ports.append(holder)
        return int(holder.getsockname()[1])

    def _write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.touch(mode=0o600)
        file.write_text(text, "utf-8")

    def _run(self, program: Path, *arguments: str) -> None:
        command = [sys.executable, "-S", "-E", str(TETHER), str(os.getpid()), str(program), *arguments]
        with (self.folder / f"{program.name}.log").open("wb") as log:
            self._processes[program.name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )

    def _check_alive(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise PlaneError(f"{name} ended with exit code {process.returncode}\n{self._logs(name)}")

    def _logs(self, *names: str) -> str:
        """The last lines of what the programs, or those named, have written."""
        texts = []
        for name in names or list(self._processes):
            log = self.folder / f"{name}.log"
            lines = log.read_text("utf-8", "replace").splitlines()[-15:]
            texts.append("\n".join([f"--- {name}", *lines]))
        return "\n".join(texts)

    def _end_on_sigterm(self) -> None:
        """Turns SIGTERM into the exception of Ctrl-C, on which pytest tears everything down."""
        if threading.current_thread() is not threading.main_thread():
            return  # only there may handlers be set; the programs still die with us
        self._old_handler = signal.signal(signal.SIGTERM, _interrupt)


_SHARDS = 6  # kubectl sends one object after the other; the server takes more
_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")


def to_list(objects: Iterable[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _is_not_ready(node: dict[str, Any]) -> bool:
    taints = {taint["key"] for taint in node["spec"].get("taints", ())}
    ready = {condition["type"]: condition["status"] for condition in node["status"].get("conditions", ())}
    return ready.get("Ready") != "True" or "node.kubernetes.io/not-ready" in taints


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt("terminated")


def _is_ready(api: str) -> bool:
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
    )
    try:
        with opener.open(f"{api}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _private_key() -> str:
    """A fresh P-256 key: any number below the order of the group will do, and Go computes the public half.

    source of the form: RFC 5915, ECPrivateKey: version 1, the number in 32 bytes, [0] the curve prime256v1
    """
    number = secrets.randbelow(2**255) + 1
    curve = bytes.fromhex("a00a06082a8648ce3d030107")
    der = bytes.fromhex("303102010104" + "20") + number.to_bytes(32, "big") + curve
    return f"-----BEGIN EC PRIVATE KEY-----\n{b64encode(der).decode()}\n-----END EC PRIVATE KEY-----\n"


def _kubeconfig(api: str, token: str) -> str:
    cluster = {"server": api, "insecure-skip-tls-verify": True}  # the certificate is made when the server starts
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "plane", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": "admin"}}],
            "current-context": "plane",
        }
    )
