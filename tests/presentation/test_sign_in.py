"""What somebody sees who has signed in: their name and their role in words."""

from __future__ import annotations

from data_access.access import Role
from presentation.sign_in import ROLES
from presentation.words import LANGUAGES, words


def test_each_role_there_is_has_a_name_and_no_other_has() -> None:
    assert set(ROLES) == {role.value for role in Role}


def test_each_role_has_a_name_of_its_own_in_each_language() -> None:
    for language in LANGUAGES:
        say = words(language)
        assert len({say(name) for name in ROLES.values()}) == len(Role), language
