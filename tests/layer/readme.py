"""The README's template and its container line, taken out of it and tried."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
LINTER = "cfn-lint==1.58.0"


def run(report, layers, target):
    text = (REPOSITORY / "README.md").read_text()
    expect_template(report, fenced(text, "yaml"), target)
    expect_container(report, fenced(text, "dockerfile"), layers)


def fenced(text, language):
    """The one block of this language."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if len(blocks) != 1:
        raise ValueError(f"README.md has {len(blocks)} blocks of {language}, and should have one")
    return blocks[0]


def expect_template(report, template, target):
    linter = install_linter(target)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "template.yaml"
        path.write_text(template)
        linted = subprocess.run([linter, path], capture_output=True, text=True)
        report.equal(linted.returncode, 0, f"{LINTER} has nothing to say of the template")
        print(linted.stdout, end="")
        # A linter that takes anything would prove nothing.
        path.write_text(template.replace("ContentUri", "ContentUrl"))
        linted = subprocess.run([linter, path], capture_output=True, text=True)
        report.expect(linted.returncode != 0, "it does object to a misspelt property")
    content = re.search(r"ContentUri: (\S+)", template).group(1)
    zips = ["target/layer/kinglet-x86_64.zip", "target/layer/kinglet-arm64.zip"]
    report.expect(content in zips, "the template takes a zip that `cargo layer` writes", content)


def install_linter(target):
    """cfn-lint in an environment of its own, once."""
    venv = target / "layer-checks"
    stamp = venv / "installed"
    if not stamp.exists() or stamp.read_text() != LINTER:
        print(f"  installing {LINTER} ...", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run(["python3", "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", LINTER], check=True)
        stamp.write_text(LINTER)
    return venv / "bin" / "cfn-lint"


def expect_container(report, line, layers):
    """Builds an image of the line alone, as `docker build` would, and looks where Lambda will."""
    for layer in layers:
        architecture, program = layer["architecture"], Path(layer["program"])
        with tempfile.TemporaryDirectory() as directory:
            context = Path(directory) / "context"
            # The README names one architecture's file.
            named = re.search(r"target/layer/(\w+)/extensions/kinglet", line)
            source = line.replace(named.group(0), f"target/layer/{architecture}/extensions/kinglet")
            file = context / "target" / "layer" / architecture / "extensions" / "kinglet"
            file.parent.mkdir(parents=True)
            shutil.copy(program, file)
            # As after a download, or on a file system without modes: the line itself must make it executable.
            file.chmod(0o644)
            (context / "Dockerfile").write_text(f"FROM scratch\n{source}")
            found = build_image(context, Path(directory))
        report.equal(found, ("0o100755", program.stat().st_size), f"{architecture}: the container line puts it in its place, executable")


def build_image(context, directory):
    """Mode and length of the extension in the image."""
    buildah = ["buildah", "--storage-driver", "vfs", "--root", directory / "root", "--runroot", directory / "runroot"]

    def run_buildah(*arguments):
        ran = subprocess.run([*buildah, *arguments], capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"buildah {arguments[0]}: {ran.stderr}")
        return ran.stdout.strip()

    run_buildah("build", "--isolation", "chroot", "--quiet", "--tag", "kinglet-checked", context)
    container = run_buildah("from", "kinglet-checked")
    mounted = Path(run_buildah("mount", container))
    status = (mounted / "opt" / "extensions" / "kinglet").stat()
    run_buildah("unmount", container)
    run_buildah("rm", container)
    return oct(status.st_mode), status.st_size
