"""kinglet in a root directory that holds nothing but kinglet: no C library, no /etc, no /proc, no /tmp.

The sandbox starts what it is given, so it is given a script named `kinglet` that goes into that root and becomes the program
there. An emulator for another architecture is opened before, and run from its descriptor: no file of it is in the root.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = "/extensions/kinglet"
EMULATORS = {"x86_64": None, "arm64": "qemu-aarch64-static"}
INVOCATIONS = 3
# The invocations of a life with a fatal signal in its middle: at half a second each there is time enough to send it.
INVOCATIONS_SURVIVED = 10
SIGNAL_AFTER_S = 2.0
# A panic's on arm64. Threads of the emulator's own leave it to the program, as they do not with SIGSEGV.
SIGNAL = signal.SIGTRAP


def run(report, layers, target):
    sandbox = target / "debug" / "kinglet-sandbox"
    for layer in layers:
        architecture = layer["architecture"]
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory) / "root"
            place(Path(layer["program"]), root)
            if architecture == "x86_64":
                expect_bareness(report, Path(directory))
            expect_version(report, architecture, root)
            script = write_script(root, EMULATORS[architecture], Path(directory))
            expect_life(report, architecture, root, [sandbox, "--extension", script, "--json"])
            expect_survival(report, architecture, root, [sandbox, "--extension", script, "--json"])


def place(program, root):
    to = root / PROGRAM[1:]
    to.parent.mkdir(parents=True)
    shutil.copy(program, to)
    to.chmod(0o755)


def expect_bareness(report, directory):
    """The check would be worth nothing if any program could start there."""
    root = directory / "dynamic"
    place(Path(shutil.which("true")), root)
    ended = subprocess.run(command(root), capture_output=True)
    report.expect(ended.returncode != 0, "a program that needs a C library does not start there")


def expect_version(report, architecture, root):
    ended = subprocess.run([*command(root, EMULATORS[architecture]), "--version"], env={}, capture_output=True, text=True)
    report.equal([ended.returncode, ended.stdout.split(" ")[0]], [0, "kinglet"], f"{architecture}: it starts, and tells its version")


def write_script(root, emulator, directory):
    """Lambda and the sandbox know an extension by the name of its file, so the script is called as the program."""
    script = directory / "kinglet"
    words = " ".join(f"'{word}'" for word in command(root, emulator))
    script.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    script.chmod(0o755)
    return script


def expect_life(report, architecture, root, sandbox):
    """register, invocations, SHUTDOWN; the collector is the sandbox's, at a literal address."""
    arguments = ["--invocations", str(INVOCATIONS), "--gap", "200"]
    ran = subprocess.run([*sandbox, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if not report.equal(ran.returncode, 0, f"{architecture}: the sandbox ran"):
        print(ran.stderr)
        return
    told = json.loads(ran.stdout)
    statuses = [invocation["status"] for invocation in told["invocations"]]
    report.equal(statuses, ["success"] * INVOCATIONS, f"{architecture}: every invocation succeeds")
    collector = told["collector"]
    report.expect(collector["written"] > INVOCATIONS, f"{architecture}: the function wrote lines", collector)
    report.equal(collector["arrived"], collector["written"], f"{architecture}: every line arrives at the collector")
    wrong = {name: collector[name] for name in ("lost", "repeated", "out_of_order", "wrong_request_id")}
    report.equal(set(wrong.values()), {0}, f"{architecture}: none lost, repeated, out of order or of another invocation")
    report.equal([told["exit_code"], told["killed"]], [0, False], f"{architecture}: SHUTDOWN ends it with status 0")
    found = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    report.equal(found, ["extensions", "extensions/kinglet"], f"{architecture}: it has left nothing behind")


def expect_survival(report, architecture, root, sandbox):
    """The handler of fatal signals is made of numbers and layouts that each architecture has its own of."""
    arguments = ["--invocations", str(INVOCATIONS_SURVIVED), "--gap", "500"]
    pipe = subprocess.PIPE
    running = subprocess.Popen([*sandbox, *arguments], stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    time.sleep(SIGNAL_AFTER_S)
    inside = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and root_of(entry) == str(root)]
    report.equal(len(inside), 1, f"{architecture}: one process lives in that root")
    for process in inside:
        os.kill(process, SIGNAL)
    told = json.loads(running.communicate(timeout=120)[0])
    report.equal([line for line in told["stderr"] if "internal error" not in line], [], f"{architecture}: a fatal signal is told in one line")
    statuses = [invocation["status"] for invocation in told["invocations"]]
    report.equal(statuses, ["success"] * INVOCATIONS_SURVIVED, f"{architecture}: and no invocation fails of it")
    report.equal([told["exit_code"], told["killed"]], [0, False], f"{architecture}: SHUTDOWN ends it with status 0 even so")


def root_of(entry):
    try:
        return os.readlink(entry / "root")
    except OSError:
        return None


def command(root, emulator=None):
    """What becomes the program in `root`."""
    return [sys.executable, "-B", __file__, str(root)] + ([shutil.which(emulator)] if emulator else [])


def become(root, emulator, *arguments):
    """Never returns: this process is the program afterwards."""
    if emulator:
        program, words = os.open(emulator, os.O_RDONLY), [emulator, "-0", PROGRAM, PROGRAM]
    else:
        program, words = PROGRAM, [PROGRAM]
    os.chroot(root)
    os.chdir("/")
    os.execve(program, [*words, *arguments], os.environ)


if __name__ == "__main__":
    _, directory, *rest = sys.argv
    is_emulated = bool(rest) and rest[0].startswith("/")
    become(directory, rest[0] if is_emulated else None, *rest[is_emulated:])
