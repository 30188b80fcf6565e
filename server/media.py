"""Files that Streamlit makes on demand and hands over itself: kept until a browser has had time to fetch them.

Streamlit 1.67 lets go of such a file as soon as two runs of pages have ended since it was made, whoever's they are. With many
readers that is sooner than a browser fetches it, and the reader gets “404” instead of the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from streamlit.runtime.media_file_manager import MediaFileManager

KEPT_SECONDS = 60.0


def keep_files(manager: MediaFileManager, clock: Callable[[], float] = time.monotonic) -> None:
    """From now on `manager` keeps each file for `KEPT_SECONDS` after it was made last; then it goes as others do."""
    storage, made_at = manager._storage, {}
    load, unused = storage.load_and_get_id, manager._get_inactive_file_ids

    def load_and_note(*what: object, **how: object) -> str:
        made = load(*what, **how)
        made_at[made] = clock()
        return made

    def unused_for_long() -> set[str]:
        # Called under the manager's lock, as loading is.
        for made in [made for made, at in made_at.items() if clock() - at >= KEPT_SECONDS]:
            del made_at[made]
        return unused() - made_at.keys()

    storage.load_and_get_id, manager._get_inactive_file_ids = load_and_note, unused_for_long
