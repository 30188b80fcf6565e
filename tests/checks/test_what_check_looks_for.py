"""What `make check` looks for beside style is found where it is planted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.checks import pinned_packages, stray_secrets

HIGH = "kJ8vQ2xZr5mN" + "7tWbY4cLp9sDfGh3aXe"  # in two pieces, or it would itself be found


# Secrets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f'password = "{HIGH}"',
        f"url = postgresql+psycopg://reader:{HIGH}@host/bank",
        f'cookie = "{HIGH}"',
        "-----BEGIN RSA PRIVATE " + "KEY-----",
    ],
)
def test_a_secret_is_found_and_not_repeated(tmp_path: Path, line: str) -> None:
    (tmp_path / "notes.toml").write_text(f"[a]\n{line}\n", encoding="utf-8")
    said = stray_secrets.found(["notes.toml"], tmp_path)
    assert said and all(sentence.startswith("notes.toml:2 looks like a secret") for sentence in said)
    assert HIGH not in "".join(said)


def test_what_is_listed_as_none_and_what_only_names_one_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "notes.toml").write_text('secret_header = "X-Secret"\npassword = ""\n', encoding="utf-8")
    assert stray_secrets.found(["notes.toml"], tmp_path) == []


def test_a_file_that_is_about_to_be_recorded_is_looked_through_and_one_that_never_is_is_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("secrets.toml\n", encoding="utf-8")
    (tmp_path / "secrets.toml").write_text("", encoding="utf-8")
    (tmp_path / "new.py").write_text("", encoding="utf-8")
    assert sorted(stray_secrets.tracked(tmp_path)) == [".gitignore", "new.py"]


def test_without_a_repository_nobody_says_that_there_are_no_secrets(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        stray_secrets.tracked(tmp_path)


# Packages -------------------------------------------------------------------------------------------------------------


def test_what_is_installed_is_what_is_pinned() -> None:
    assert pinned_packages.differences(pinned_packages.installed(), pinned_packages.pinned()) == []


def test_a_package_without_a_pin_and_one_of_another_version_are_found() -> None:
    found = {"pip": "1", "typing-extensions": "4.15.0", "left-pad": "1.3.0", "pandas": "3.1.1"}
    pins = {"typing-extensions": "4.16.0", "pandas": "3.1.1", "scipy": "1.17.1"}
    assert pinned_packages.differences(found, pins) == [
        "left-pad 1.3.0 is installed, and constraints.txt does not pin it.",
        "typing-extensions 4.15.0 is installed, and constraints.txt pins 4.16.0.",
    ]


@pytest.mark.parametrize("line", ["pandas>=3", "pandas", "pandas==3.*", "git+https://host/pandas"])
def test_a_line_that_leaves_a_version_open_is_no_pin(tmp_path: Path, line: str) -> None:
    file = tmp_path / "constraints.txt"
    file.write_text(f"# why\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="pins no one version"):
        pinned_packages.pinned([file])


def faulty(asked: dict) -> dict:
    """The answer for a bank that still has an old version of one package."""
    if asked["package"]["name"] != "streamlit":
        return {}
    whose = {"package": {"name": "streamlit", "ecosystem": "PyPI"}}
    mended = whose | {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}]}
    return {"vulns": [{"id": "PYSEC-2026-1", "summary": "Lets everybody in.", "affected": [mended]}]}


@contextmanager
def service(answer: Callable[[dict], dict] | None) -> Iterator[str]:
    """A service for known faults on this computer; without `answer` one that is out of order."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            said = json.dumps(answer(asked) if answer else {}).encode()
            self.send_response(200 if answer else 503)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_known_fault_ends_the_check_and_is_named(capsys: pytest.CaptureFixture) -> None:
    with service(faulty) as url:
        assert pinned_packages.main(url) == 1
    version = pinned_packages.pinned()["streamlit"]
    assert f"streamlit {version} has the known fault PYSEC-2026-1; mended in 99.0." in capsys.readouterr().out


def test_where_no_fault_is_known_it_says_so(capsys: pytest.CaptureFixture) -> None:
    with service(lambda _asked: {}) as url:
        assert pinned_packages.main(url) == 0
    assert capsys.readouterr().out.endswith("as it is pinned, and no fault is known of any.\n")


def test_a_service_that_does_not_answer_is_no_word_that_there_are_no_faults(capsys: pytest.CaptureFixture) -> None:
    with service(None) as url:
        assert pinned_packages.main(url) == 0
    assert pinned_packages.main(url) == 0  # there is nobody any more
    said = capsys.readouterr().out
    assert said.count("Known faults: NOT looked for") == 2
    assert "no fault is known" not in said


# Unsafe code ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("connection.execute(f\"SELECT name FROM customers WHERE branch_id = '{asked}'\")", "B608"),
        ("subprocess.run(asked, shell=True)", "B602"),
        ("pickle.loads(asked)", "B301"),
        ("requests.get(asked, verify=False)", "B501"),
    ],
)
def test_unsafe_code_is_found(tmp_path: Path, line: str, kind: str) -> None:
    (tmp_path / "page.py").write_text(f"import pickle, requests, subprocess\n{line}\n", encoding="utf-8")
    config = ["--configfile", str(pinned_packages.ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "bandit", "--quiet", *config, "--recursive", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert kind in done.stdout
