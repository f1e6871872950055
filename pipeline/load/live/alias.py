"""The alias that searches use, the switch to a new index, and the removal of old indices.

While an index is being loaded it has an alias NAME-xxxxxxxx.loading. An index with neither alias has been replaced; one
with the loading alias is being loaded, or its load was interrupted.
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

# A load that began so many milliseconds before another of the same name is taken for abandoned.
_ABANDONED = 24 * 3600 * 1000
_HIDDEN = {"is_hidden": True}


@dataclass(frozen=True)
class _Found:
    """An index made by lexel: its aliases, and its creation time in milliseconds by the cluster's clock."""

    aliases: frozenset[str]
    made: int


def loading(target: str) -> str:
    """The alias through which documents are sent to `target`; it disappears with the index."""
    return f"{target}.loading"


def loading_aliases(target: str) -> dict[str, Any]:
    """The `aliases` of the request that creates `target`, which mark it as being loaded."""
    return {loading(target): _HIDDEN}


def begin_again(client: OpenSearch, target: str) -> None:
    """Mark an existing `target` as being loaded."""
    client.indices.put_alias(index=target, name=loading(target), body=_HIDDEN)


def check_ours(client: OpenSearch, index: str) -> None:
    """Raise ClusterError if `index` exists and is not an alias of indices made by lexel, which loads may remove."""
    if not client.indices.exists(index=index):
        return
    about = client.indices.get_mapping(index=index)
    if not client.indices.exists_alias(name=index):
        raise ClusterError(f"{index} is an index of its own, not an alias that lexel made; choose another name.")
    foreign = [name for name, found in about.items() if "lexel" not in found["mappings"].get("_meta", {})]
    if foreign:
        raise ClusterError(f"{index} is an alias of {foreign[0]}, which lexel did not make; choose another name.")


def take_over(client: OpenSearch, index: str, target: str) -> None:
    """Switch the alias `index` to `target`, atomically; of several concurrent loads the last one wins.

    Raises ClusterError if other loads keep changing the alias.
    """
    for _ in range(20):
        held = _holders(client, index)
        actions = [{"remove": {"index": name, "alias": index}} for name in sorted(held - {target})]
        actions.append({"add": {"index": target, "alias": index}})
        if client.indices.exists_alias(index=target, name=loading(target)):
            actions.append({"remove": {"index": target, "alias": loading(target)}})
        with suppress(errors.NotFoundError):  # another load has changed the aliases meanwhile
            client.indices.update_aliases(body={"actions": actions})
            # After two simultaneous switches the alias may have both indices.
            held = _holders(client, index)
            if held == {target} or target not in held:
                return
        time.sleep(random.uniform(0.05, 0.3))
    raise ClusterError(
        f"Other loads keep changing {index}; wait until they have ended, then run the same command again."
    )


def _holders(client: OpenSearch, index: str) -> set[str]:
    return set(client.indices.get_alias(name=index)) if client.indices.exists_alias(name=index) else set()


def clean_up(client: OpenSearch, index: str, target: str) -> tuple[str, ...]:
    """Remove replaced indices and those of abandoned loads of `index`; return those that may still be loading.

    A load that began a day or more before `target` counts as abandoned; if it is still running, it starts again.
    """
    try:
        found = _ours(client, index)
    except errors.AuthorizationException:  # the user may not list other indices
        return ()
    newest = found[target].made if target in found else 0
    # An index with another alias is in use.
    others = {n: about for n, about in found.items() if n != target and about.aliases <= {loading(n)}}
    unfinished = {name: about.made for name, about in others.items() if about.aliases}
    young = {name for name, made in unfinished.items() if newest - made < _ABANDONED}
    for name in others.keys() - young:
        with suppress(errors.NotFoundError, errors.AuthorizationException):
            client.indices.delete(index=name)
    return tuple(sorted(young))


def _ours(client: OpenSearch, index: str) -> Mapping[str, _Found]:
    path = "*.aliases,*.mappings._meta,*.settings.index.creation_date"
    found = client.indices.get(index=f"{index}-*", params={"filter_path": path})
    return {
        name: _Found(frozenset(about.get("aliases", {})), int(about["settings"]["index"]["creation_date"]))
        for name, about in found.items()
        if re.fullmatch(re.escape(index) + "-[0-9a-f]{8}", name)
        and "lexel" in about.get("mappings", {}).get("_meta", {})
    }
