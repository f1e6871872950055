"""The alias that people search, and the indices behind it: one that is whole, and those that loads left behind.

An index on its way has an alias of its own, NAME-xxxxxxxx.loading, from its creation until it takes over. So an index
of this name without either alias has been replaced; with the second, it is being loaded, or its load broke off.
"""

import random
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy import exceptions as errors

from lexel.pipeline.errors import ClusterError

# A load takes hours at most. One that began this many milliseconds before another of the same name is over.
_ABANDONED = 24 * 3600 * 1000
_HIDDEN = {"is_hidden": True}


@dataclass(frozen=True)
class _Found:
    """An index of ours, by its name: what it is called beside, and when it was made by the cluster's own clock."""

    aliases: frozenset[str]
    made: int


def loading(target: str) -> str:
    """The alias by which documents go into `target`. With `target` it goes away, and nothing is made in its place."""
    return f"{target}.loading"


def loading_aliases(target: str) -> dict[str, Any]:
    """The part of the body that creates `target` which says that it is being loaded."""
    return {loading(target): _HIDDEN}


def begin_again(client: OpenSearch, target: str) -> None:
    """Say that `target`, which is there, is being loaded."""
    client.indices.put_alias(index=target, name=loading(target), body=_HIDDEN)


def check_ours(client: OpenSearch, index: str) -> None:
    """Raise ClusterError where `index` is not an alias of indices that lexel made: a load would remove them."""
    if not client.indices.exists(index=index):
        return
    about = client.indices.get_mapping(index=index)
    if not client.indices.exists_alias(name=index):
        raise ClusterError(f"{index} is an index of its own, not an alias that lexel made; choose another name.")
    foreign = [name for name, found in about.items() if "lexel" not in found["mappings"].get("_meta", {})]
    if foreign:
        raise ClusterError(f"{index} is an alias of {foreign[0]}, which lexel did not make; choose another name.")


def take_over(client: OpenSearch, index: str, target: str) -> None:
    """Let `index` mean `target` and nothing else, at once for all who search; the last of several loads wins."""
    for _ in range(20):
        held = _holders(client, index)
        actions = [{"remove": {"index": name, "alias": index}} for name in sorted(held - {target})]
        actions.append({"add": {"index": target, "alias": index}})
        if client.indices.exists_alias(index=target, name=loading(target)):
            actions.append({"remove": {"index": target, "alias": loading(target)}})
        with suppress(errors.NotFoundError):  # another load has changed what we just looked at
            client.indices.update_aliases(body={"actions": actions})
            # Two that end in the same moment can both be in it for that moment.
            held = _holders(client, index)
            if held == {target} or target not in held:
                return
        time.sleep(random.uniform(0.05, 0.3))
    raise ClusterError(
        f"Other loads keep changing {index}; wait until they have ended, and give the same command again."
    )


def _holders(client: OpenSearch, index: str) -> set[str]:
    return set(client.indices.get_alias(name=index)) if client.indices.exists_alias(name=index) else set()


def clean_up(client: OpenSearch, index: str, target: str) -> tuple[str, ...]:
    """Remove what earlier loads of `index` left behind; returns the indices that may still be loaded, and so stay.

    What was replaced goes, and what was begun a day or more before `target`. Were it still being loaded, its load would
    begin anew by itself: the shards hold everything.
    """
    try:
        found = _ours(client, index)
    except errors.AuthorizationException:  # one who may write to this index alone need not see others
        return ()
    newest = found[target].made if target in found else 0
    # One with another alias is somebody's on purpose.
    others = {n: about for n, about in found.items() if n != target and about.aliases <= {loading(n)}}
    unfinished = {name: about.made for name, about in others.items() if about.aliases}
    young = {name for name, made in unfinished.items() if newest - made < _ABANDONED}
    for name in others.keys() - young:
        with suppress(errors.NotFoundError, errors.AuthorizationException):
            client.indices.delete(index=name)
    return tuple(sorted(young))


def _ours(client: OpenSearch, index: str) -> Mapping[str, _Found]:
    wanted = "*.aliases,*.mappings._meta,*.settings.index.creation_date"
    there = client.indices.get(index=f"{index}-*", params={"filter_path": wanted})
    return {
        name: _Found(frozenset(about.get("aliases", {})), int(about["settings"]["index"]["creation_date"]))
        for name, about in there.items()
        if re.fullmatch(re.escape(index) + "-[0-9a-f]{8}", name)
        and "lexel" in about.get("mappings", {}).get("_meta", {})
    }
