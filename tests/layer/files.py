"""What the files are, read byte by byte: ELF headers and zip entries. What they may weigh is in size-report/budget.toml."""

import hashlib
import os
import re
import struct
import zipfile
from pathlib import Path

MACHINES = {"x86_64": 62, "arm64": 183}
LOAD, DYNAMIC, INTERPRETER, STACK = 1, 2, 3, 0x6474E551
EXECUTABLE, WRITABLE = 1, 2


def run(report, layers):
    report.equal([layer["architecture"] for layer in layers], list(MACHINES), "a layer for each architecture")
    for layer in layers:
        report.expect(layer["builds_std"], f"{layer['architecture']}: the standard library was built along", layer)
        expect_program(report, layer["architecture"], Path(layer["program"]))
        expect_zip(report, layer["architecture"], Path(layer["zip"]), Path(layer["program"]).read_bytes())


def expect_program(report, architecture, path):
    program = path.read_bytes()
    report.equal(program[:6], b"\x7fELF\x02\x01", f"{architecture}: ELF, 64 bits, little-endian")
    machine, = struct.unpack_from("<H", program, 18)
    report.equal(machine, MACHINES[architecture], f"{architecture}: the machine")
    segments = read_segments(program)
    dynamic = [kind for kind, _ in segments if kind in (DYNAMIC, INTERPRETER)]
    report.equal(dynamic, [], f"{architecture}: static: no interpreter, nothing to load or relocate at start")
    both = [flags for kind, flags in segments if kind == LOAD and flags & WRITABLE and flags & EXECUTABLE]
    report.equal(both, [], f"{architecture}: no segment is both writable and executable")
    stack = [flags & EXECUTABLE for kind, flags in segments if kind == STACK]
    report.equal(stack, [0], f"{architecture}: the stack is not executable")
    sections, = struct.unpack_from("<H", program, 60)
    report.equal(sections, 0, f"{architecture}: no section headers, no symbols")
    home = os.path.expanduser("~").encode()
    paths = set(re.findall(rb"[!-~]*(?:\.cargo|rustlib|" + re.escape(home) + rb"/)[!-~]*", program))
    report.equal(paths, set(), f"{architecture}: no path of the machine that built it")


def read_segments(program):
    """(type, flags) of each program header."""
    start, = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    return [struct.unpack_from("<II", program, start + size * number) for number in range(count)]


def expect_zip(report, architecture, path, program):
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        report.equal([entry.filename for entry in entries], ["extensions/kinglet"], f"{architecture}: what the zip holds")
        mode = entries[0].external_attr >> 16
        report.equal(oct(mode & 0o777), "0o755", f"{architecture}: the zip says that it can be run")
        report.equal(entries[0].create_system, 3, f"{architecture}: made on Unix, else the mode would not count")
        unpacked = archive.read(entries[0])
    digests = [hashlib.sha256(each).hexdigest() for each in (unpacked, program)]
    report.equal(digests[0], digests[1], f"{architecture}: the zip unpacks to the program")
