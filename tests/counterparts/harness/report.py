"""Expectations, counted and printed as they are met or missed."""

import json
import sys


class Report:
    def __init__(self, check):
        self.check = check
        self.passed = 0
        self.failed = []
        self.rows = []

    def expect(self, held, what, evidence=""):
        """One expectation. What it saw instead, `evidence`, is printed only if it was missed."""
        if held:
            self.passed += 1
            print(f"  ok    {what}", flush=True)
        else:
            self.failed.append(f"{self.check}: {what}")
            print(f"  FAIL  {what}", flush=True)
            for line in str(evidence).splitlines():
                print(f"        {line}", flush=True)
        return bool(held)

    def equal(self, found, wanted, what):
        return self.expect(found == wanted, what, f"wanted {short(wanted)}\nfound  {short(found)}")

    def at_most(self, measured, bound, unit, what):
        """A bar: the measured number goes into the table as well."""
        self.rows.append((what, measured, bound, unit))
        return self.expect(measured <= bound, f"{what}: {measured:.2f} {unit} (at most {bound})")

    def save(self, path):
        path.write_text(json.dumps({"passed": self.passed, "failed": self.failed}))

    def print_table(self):
        print(f"\n  {'bar':<66} {'measured':>10} {'at most':>8}")
        for what, measured, bound, unit in self.rows:
            mark = "" if measured <= bound else "  MISSED"
            print(f"  {what:<66} {measured:>10.2f} {bound:>8} {unit}{mark}")
        print(flush=True)


def short(value, limit=600):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]} ... ({len(text)} characters)"


def note(text):
    print(f"        {text}", flush=True)


def heading(text):
    print(f"\n== {text}", flush=True)
    sys.stdout.flush()
