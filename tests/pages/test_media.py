"""A small file can be fetched for a minute, however many pages of others are drawn meanwhile."""

from __future__ import annotations

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from server import media


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_file_made_on_demand_is_kept_for_a_minute_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.runtime.media_file_manager._get_session_id", lambda: "somebody")
    storage = MemoryMediaFileStorage("/media")
    manager, clock = MediaFileManager(storage), Clock()
    media.keep_files(manager, clock)
    ordered = manager.add_deferred(lambda: b"rows", "text/csv", "1.0", file_name="rows.csv")

    def fetch(url: str) -> bytes:
        return storage.get_file(url.rpartition("/")[2]).content

    url = manager.execute_deferred(ordered)
    for _run in range(5):  # of others
        manager.remove_orphaned_files()
    assert fetch(url) == b"rows"
    clock.now += media.KEPT_SECONDS - 1
    assert manager.execute_deferred(ordered) == url  # made again: its minute begins again
    clock.now += 2
    for _run in range(5):
        manager.remove_orphaned_files()
    assert fetch(url) == b"rows"
    clock.now += media.KEPT_SECONDS
    for _run in range(2):
        manager.remove_orphaned_files()
    with pytest.raises(MediaFileStorageError):
        fetch(url)


def test_without_it_two_runs_of_others_take_the_file_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once this fails, Streamlit keeps files itself, and server/media.py can go."""
    monkeypatch.setattr("streamlit.runtime.media_file_manager._get_session_id", lambda: "somebody")
    storage = MemoryMediaFileStorage("/media")
    manager = MediaFileManager(storage)
    url = manager.execute_deferred(manager.add_deferred(lambda: b"rows", "text/csv", "1.0", file_name="rows.csv"))
    for _run in range(2):
        manager.remove_orphaned_files()
    with pytest.raises(MediaFileStorageError):
        storage.get_file(url.rpartition("/")[2])
