"""Folders with another machine's Debian, and its Python, to build for and to run in.

A root holds the files of its packages as they are, without what their installation would run: seconds, not minutes.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import NotRun, need, run

FORMATS = Path("/proc/sys/fs/binfmt_misc")
PACKAGES = ["base-files", "coreutils", "dash", "libc-bin"]


@dataclass(frozen=True)
class Root:
    path: Path
    python: str  # the command

    @property
    def version(self) -> str:
        """The version of its Python, as "3.11"."""
        found = re.search(r"(\d+\.\d+)$", (self.path / "usr/bin" / self.python).resolve().name)
        if found is None:
            raise NotRun(f"the root {self.path.name} has no {self.python}")
        return found[1]

    def command(self, folder: str, environment: dict[str, str], command: list[Any]) -> list[Any]:
        """Return what runs `command` in `folder` of the root, with no other variables than these."""
        variables = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8"} | environment
        within = [
            "/usr/bin/env",
            "-i",
            "-C",
            folder,
            *(f"{name}={value}" for name, value in variables.items()),
        ]
        within += command
        # The mount, and every process, ends with the command, whatever ends that.
        mounted = 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"'
        return [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-ec",
            mounted,
            self.path,
            *within,
        ]


def make_root(folder: Path, log: Path, architecture: str, packages: list[str], suite: str = "") -> Root:
    """Return the root for `architecture` (Debian's name), made if it is not there; of this machine's suite."""
    if os.geteuid() != 0:
        raise NotRun("needs root, for a chroot")
    need(log, mmdebstrap="mmdebstrap")
    python = packages[0]
    path = folder / f"{architecture}-{python}"
    if not (path / "usr/bin" / python).is_symlink():
        folder.mkdir(parents=True, exist_ok=True)
        here = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
        names = ",".join([*PACKAGES, *packages])
        command = [
            "mmdebstrap",
            "--quiet",
            "--variant=extract",
            "--mode=root",
            f"--architectures={architecture}",
        ]
        run([*command, f"--include={names}", suite or here, path, mirror(here)], log)
        (path / "proc").mkdir(exist_ok=True)
    return Root(path, python)


def mirror(codename: str) -> str:
    """Return where this machine has its Debian packages from."""
    asked = ["Created-By: Packages", f"Codename: {codename}", "Component: main"]
    try:
        found = subprocess.check_output(["apt-get", "indextargets", "--format", "$(REPO_URI)", *asked], text=True)
    except OSError:
        found = ""
    if not found:
        raise NotRun("this machine is no Debian, or 'apt-get update' was not run")
    return found.split()[0]


def emulate(log: Path, processor: str) -> None:
    """Have the kernel run programs for `processor`, as qemu names it, by an emulator."""
    need(log, **{f"qemu_{processor}_static": "qemu-user-static"})
    if not (FORMATS / "register").exists():
        run(["mount", "-t", "binfmt_misc", "binfmt_misc", FORMATS], log)
    if not (FORMATS / f"qemu-{processor}").exists():
        entry = Path(f"/usr/lib/binfmt.d/qemu-{processor}.conf").read_bytes()
        (FORMATS / "register").write_bytes(entry.strip())
