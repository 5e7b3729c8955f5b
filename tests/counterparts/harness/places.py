"""Where things are."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent
FIXTURES = REPOSITORY / "tests" / "fixtures"

CACHE = REPOSITORY / "target" / "counterparts"
PYTHON = CACHE / "venv" / "bin" / "python"
RIE = CACHE / "aws-lambda-rie-x86_64"
CARGO_LAMBDA = CACHE / "venv" / "bin" / "cargo-lambda"
BODIES = CACHE / "bodies"
LOGS = CACHE / "logs"

TARGET = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target")


def rotel():
    """rotel's agent, a program inside its Python package."""
    return next((CACHE / "venv").glob("lib/python*/site-packages/rotel/rotel-agent"))
