"""Which language a person wants: the option, or what the environment says.

Source: POSIX, "Environment Variables", 8.2: LC_ALL, then LC_MESSAGES, then LANG; the first that is set and
not empty counts, and a locale is ``language[_TERRITORY][.codeset][@modifier]``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from mailscope.vocabulary.errors import UsageError

ENGLISH: Final = "en"
LANGUAGES: Final = (ENGLISH, "zh", "it", "sv")
OPTION: Final = "--lang"
VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")


def choose(option: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The language to use, one of ``LANGUAGES``.

    In: the value of ``--lang`` (None where it is not given) and the environment.  The option may be a whole
    locale (``zh_CN.UTF-8`` means ``zh``).  A locale of the environment that we have no words for means
    English.  Raises UsageError for an option that is no language of ours.
    """
    if option is not None:
        language = _language(option)
        if language not in LANGUAGES:
            raise UsageError(f"unknown language '{option}'", OPTION, f"choose one of {', '.join(LANGUAGES)}")
        return language
    locale = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    language = _language(locale)
    return language if language in LANGUAGES else ENGLISH


def _language(locale: str) -> str:
    return re.split("[-_.@]", locale, maxsplit=1)[0].lower()
