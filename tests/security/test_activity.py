"""What counts as a reader who does something: a click does, a page that asks by itself does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from server.presence import _is_activity
from tests.pages.conftest import Visit, whole_url  # noqa: F401
from tests.security.bank_server import PROXY_SECRET
from tests.security.test_proxy_in_front import ACCESS


def rerun(**more: bool) -> BackMsg:
    message = BackMsg()
    message.rerun_script.page_name = ""
    for name, value in more.items():
        setattr(message.rerun_script, name, value)
    return message


def file_asked() -> BackMsg:
    message = BackMsg()
    message.backend_operation_request.deferred_file.file_id = "1"
    return message


@pytest.mark.parametrize(
    ("message", "counts"),
    [
        (rerun(), True),
        (file_asked(), True),
        (rerun(is_auto_rerun=True), False),
        (BackMsg(app_heartbeat=True), False),
        (BackMsg(stop_script=True), False),
    ],
)
def test_only_a_reader_keeps_a_session_awake(message: BackMsg, counts: bool) -> None:
    assert _is_activity({"type": "websocket.receive", "bytes": message.SerializeToString()}) == counts


def test_what_is_no_message_keeps_nothing_awake() -> None:
    assert not _is_activity({"type": "websocket.receive", "bytes": b"\xff\xff"})
    assert not _is_activity({"type": "websocket.receive", "text": "hello"})
    assert not _is_activity({"type": "websocket.disconnect"})


def test_a_page_that_is_run_without_the_servers_layers_lets_nobody_in(
    whole_url: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "config.toml").write_text(f'[warehouse]\nurl = "duckdb:///none"\n[access]\n{ACCESS}', encoding="utf-8")
    monkeypatch.setenv("DASHBOARD_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("WAREHOUSE_URL", whole_url)
    monkeypatch.setenv("DASHBOARD_PROXY_SECRET", PROXY_SECRET)
    monkeypatch.setenv("JOURNAL_URL", f"sqlite:///{tmp_path / 'journal.db'}")
    visit = Visit({}, {})
    assert visit.sentences == ["Your session has ended. Load the page again to go on."]
    assert visit.tables == {} and visit.cards == {}
