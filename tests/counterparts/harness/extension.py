"""kinglet as a process under the stub: started, measured, waited for."""

import os
import re
import signal
import subprocess
import threading
import time

from . import places

FATES = ("resident", "delivered", "evicted", "rejected", "filtered", "malformed", "abandoned")
POINT_FATES = ("points_resident", "points_delivered", "points_evicted", "points_rejected", "points_abandoned")


class Extension:
    def __init__(self, binary, name, api, endpoint, **environment):
        self.log = places.LOGS / f"{name}.stderr"
        self.exit_status = None
        self.user_ms = self.system_ms = 0.0
        self.memory_peak_kb = 0
        self.exited_at = None
        inherited = {"PATH": os.environ["PATH"], "TZ": ":UTC", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
        function = {
            "AWS_LAMBDA_FUNCTION_NAME": "counterpart",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_RUNTIME_API": api.address,
        }
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(binary)],
                env={**inherited, **function, "KINGLET_ENDPOINT": endpoint, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.waiter = threading.Thread(target=self.wait_and_measure, daemon=True)
        self.waiter.start()
        threading.Thread(target=self.watch_memory, daemon=True).start()

    def wait_and_measure(self):
        _, status, usage = os.wait4(self.process.pid, 0)
        self.exited_at = time.monotonic()
        self.exit_status = os.waitstatus_to_exitcode(status)
        self.process.returncode = self.exit_status
        self.user_ms, self.system_ms = usage.ru_utime * 1000, usage.ru_stime * 1000

    def watch_memory(self):
        """VmHWM, again and again, because a dead process has none. (ru_maxrss would count this Python's pages from before exec.)"""
        while self.exited_at is None:
            self.sample_memory()
            time.sleep(0.005)

    def sample_memory(self):
        try:
            with open(f"/proc/{self.process.pid}/status") as status:
                peak = re.search(r"Name:\s*(\S+)(?s:.*)VmHWM:\s*(\d+)", status.read())
        except OSError:
            return
        if peak and not peak[1].startswith("python"):
            self.memory_peak_kb = max(self.memory_peak_kb, int(peak[2]))

    def alive(self):
        return self.exited_at is None

    def wait(self, timeout_s):
        """Whether it exited by itself in time. If not, it is killed."""
        self.waiter.join(timeout_s)
        if self.exited_at is not None:
            return True
        self.process.send_signal(signal.SIGKILL)
        self.waiter.join()
        return False

    def stderr(self):
        return self.log.read_text(errors="replace")

    def counters(self):
        """The last line it wrote, `kinglet: exit key=value ...`, as numbers and words."""
        return exit_counters(self.stderr())


def exit_counters(text):
    lines = re.findall(r"kinglet: exit (.*)", text)
    pairs = dict(re.findall(r"(\S+?)=(\S*)", lines[-1])) if lines else {}
    return {key: int(value) if value.isdigit() else value for key, value in pairs.items()}


def expect_identity(report, counters, where):
    """Every event received has exactly one fate, and so has every data point."""
    accounted = sum(counters.get(fate, 0) for fate in FATES)
    report.expect(
        counters and counters.get("received") == accounted,
        f"{where}: received = {' + '.join(FATES)}",
        counters or "no exit line",
    )
    points = sum(counters.get(fate, 0) for fate in POINT_FATES)
    report.expect(counters.get("points") == points, f"{where}: points = {' + '.join(POINT_FATES)}", counters)
