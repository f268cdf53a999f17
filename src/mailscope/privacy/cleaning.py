"""What is done to lines before anything is kept of them: secrets go; names, where the settings say so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mailscope.privacy import secrets
from mailscope.privacy.key import read_key
from mailscope.privacy.lines import Anonymiser
from mailscope.privacy.pseudonyms import Pseudonyms
from mailscope.recognise.library import Library
from mailscope.vocabulary.settings.settings import Settings


def cleaner(settings: Settings, library: Library, secret: bytes) -> Callable[[bytes], bytes]:
    """What is done to lines before anything is kept of them: secrets go; names, where the settings say so.

    ``secret``: the store's own, with which ids of sessions are hashed.
    """
    privacy = settings.privacy
    ways = {privacy.addresses, privacy.ips}
    if privacy.at == "ingest" and ways != {"keep"}:
        key = read_key(Path(privacy.key_file)) if "pseudonymise" in ways else secret
        names = Pseudonyms(key, privacy.addresses, privacy.ips, privacy.keep_domains)
        return Anonymiser(library, names).chunk
    return partial(secrets.masked_chunk, session=Pseudonyms(secret, "keep", "keep").session)
