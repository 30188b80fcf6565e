"""Whether a password, a key or a token stands in what git records, or would record: `python -m tests.checks.stray_secrets`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]

KINDS = (
    "KeywordDetector",
    "BasicAuthDetector",
    "Base64HighEntropyString",
    "HexHighEntropyString",
    "PrivateKeyDetector",
    "JwtTokenDetector",
    "GitHubTokenDetector",
    "AWSKeyDetector",
)
"""What could stray in here. The patterns of two dozen services that nobody uses here would take three times as long."""

NO_SECRETS = {
    "DASHBOARD_PROXY_SECRET",  # the name of an environment variable
    "X-Dashboard-Secret",  # the name of a header, in config.toml and in tests
    "X-Secret",  # the name of a header, in tests
    "23456789ABCDEFGHJKLMNPQRSTUVWXYZ",  # the letters of which an export's number is made
    "geheim",  # in tests: a password that must not be shown
    "postgresql+psycopg://reader:geheim@host/bank",  # the same, in an address that leads nowhere
    "s3cret",  # in tests: a password that must not be shown
    "s3cret-",  # in tests: what their proxy knows, with digits that follow in the code
    "secret",  # in tests: the password of a file, and of an address that leads nowhere
    "猫 & dog",  # in tests: the password of a file
    "Zhang Wei",  # in tests: what is hidden in that file
    "POST /next",  # in tests: how their provider is told who signs in
}
"""What looks like a secret and is none, with the reason. It is told by what it says, so that it may move to another line."""

LEFT_OUT = ("locales/", "MEASURES.md")
"""Written by the program, from texts that are looked at where they come from."""


def tracked(folder: Path = ROOT) -> list[str]:
    """The files that git records, and new ones that it does not leave out. Raises CalledProcessError where there is no repository."""
    asked = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    names = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in names if name and not name.startswith(LEFT_OUT) and (folder / name).is_file()]


def found(files: Iterable[str], folder: Path = ROOT) -> list[str]:
    """Where something looks like a secret, and of which kind; never what it says. Nobody else is asked whether it is a true one."""
    with transient_settings({"plugins_used": [{"name": kind} for kind in KINDS]}):
        collection = SecretsCollection(root=str(folder))
        collection.scan_files(*files)
    return sorted(
        f"{file}:{secret.line_number} looks like a secret ({secret.type})."
        for file, secret in collection
        if secret.secret_value not in NO_SECRETS
    )


def main() -> int:
    """Says what was found; 1 where anything was."""
    try:
        files = tracked()
    except (OSError, subprocess.CalledProcessError):
        print("Secrets: not looked for, because git does not say which files are recorded; run make check in a clone.")
        return 1
    if said := found(files):
        print(*said, sep="\n")
        print(
            "Take it out, and where it was recorded once, make a new one. What is none goes into NO_SECRETS in "
            "tests/checks/stray_secrets.py, with the reason."
        )
        return 1
    print(f"Secrets: none in {len(files)} files.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
