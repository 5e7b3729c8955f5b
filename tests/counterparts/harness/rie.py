"""AWS's Runtime Interface Emulator: the open part of what runs in the real sandbox, as a process of its own.

It wants its files in /opt and /var/task, so it gets a mount namespace with directories of ours bound there.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import places

INVOKE = "/2015-03-31/functions/function/invocations"
PORT, API_PORT = 8080, 9001


class Rie:
    """`extensions` maps names in /opt/extensions to programs. `managed` selects the Managed Instances mode."""

    def __init__(self, name, extensions, managed=False, **environment):
        self.root = Path(tempfile.mkdtemp(prefix="rie-"))
        self.log = places.LOGS / f"{name}.log"
        self.lay_out(extensions)
        binds = f"mount --bind {self.root}/opt /opt && mount --bind {self.root}/var /var && cd /var/task && exec /opt/rie"
        arguments = f"--log-level debug --runtime-api-address 127.0.0.1:{API_PORT} --runtime-interface-emulator-address 127.0.0.1:{PORT}"
        mode = {"AWS_LAMBDA_MAX_CONCURRENCY": "1"} if managed else {}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "bash", "-c", f"{binds} {arguments} /var/task/bootstrap"],
                env={"PATH": os.environ["PATH"], **mode, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait_for_server()

    def lay_out(self, extensions):
        for directory in ("opt/extensions", "opt/programs", "var/task", "var/tmp"):
            (self.root / directory).mkdir(parents=True)
        shutil.copy(places.RIE, self.root / "opt/rie")
        shutil.copy(places.HERE / "function/bootstrap", self.root / "var/task/bootstrap")
        for name, program in extensions.items():
            shutil.copy(program, self.root / "opt" / name)
            (self.root / "opt" / name).chmod(0o755)
        # In Managed Instances mode the function and the extension run as another user.
        subprocess.run(["chmod", "-R", "a+rX", self.root], check=True)
        (self.root / "var/tmp").chmod(0o1777)

    def wait_for_server(self):
        for _ in range(500):
            try:
                http.client.HTTPConnection("127.0.0.1", PORT, timeout=1).connect()
                return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"RIE did not start:\n{self.output()[-2000:]}")

    def invoke(self, event):
        """(answer, ms from request to answer)."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        connection.request("POST", INVOKE, json.dumps(event), {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read() or b"null")
        return answer, (time.monotonic() - began) * 1000

    def invoke_when_ready(self, event):
        """In Managed Instances mode an invocation is refused while the runtime is on its way back to next.

        The pause lets RIE read the last lines of the invocation before it announces another.
        """
        time.sleep(0.05)
        for _ in range(500):
            answer, _ms = self.invoke(event)
            if not (isinstance(answer, dict) and answer.get("errorType") == "Runtime.Unavailable"):
                return answer
            time.sleep(0.01)
        return answer

    def wait_logged(self, pattern, count, timeout_s=10):
        """Whether RIE's log holds `pattern` at least `count` times in time."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if len(re.findall(pattern, self.output())) >= count:
                return True
            time.sleep(0.02)
        return False

    def terminate(self):
        """SIGTERM, upon which RIE shuts its sandbox down; the ms it took. Killed after 10 s."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return (time.monotonic() - began) * 1000

    def output(self):
        return self.log.read_text(errors="replace")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
