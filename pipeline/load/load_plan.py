"""What a load is to do: the documents of a shard folder, and the index that they are for."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch

from lexel.encoders.runtime.malloc import keep_freed_memory
from lexel.encoders.term_weights import frequencies
from lexel.mappings import index_body
from lexel.pipeline.cluster.capabilities import is_embedded
from lexel.pipeline.cluster.error_messages import readable_errors
from lexel.pipeline.collection.fields import CollectionFields
from lexel.pipeline.collection.mean_vector import mean_vector
from lexel.pipeline.errors import ClusterError, ConfigError
from lexel.pipeline.load.bulk import Rejected
from lexel.pipeline.load.documents.document_states import DocumentStates
from lexel.pipeline.load.documents.metadata_fields import metadata_fields
from lexel.pipeline.load.documents.row_documents import LAYOUT
from lexel.pipeline.load.documents.shard_documents import ShardDocuments
from lexel.pipeline.load.live import alias
from lexel.pipeline.load.load_options import LoadOptions
from lexel.pipeline.load.rejects_file import RejectsFile
from lexel.pipeline.shards.folder import ShardFolder
from lexel.pipeline.shards.part import WHOLE, Part
from lexel.pipeline.shards.shard import Shard

# Of what share of the documents an index is made without them. Where OpenSearch rejects more, something else is wrong.
_LEFT_OUT = 0.01


@dataclass(frozen=True)
class LoadPlan:
    """The `documents` for the alias `index`; `target` is the concrete index that a load of them all makes.

    All parts of a load have the same target; `part` says which of the shards this one sends.
    """

    documents: ShardDocuments
    index: str
    target: str
    options: LoadOptions
    part: Part = WHOLE

    @property
    def shards(self) -> ShardFolder:
        """The folder that is loaded."""
        return self.documents.folder

    @property
    def states(self) -> DocumentStates:
        """What the index must hold in the end."""
        return self.documents.states

    @property
    def mine(self) -> list[Shard]:
        """The shards of this part."""
        return [shard for shard in self.shards.shards if self.part.has_shard(shard.number)]

    @property
    def rejects(self) -> RejectsFile:
        """What OpenSearch will not take of them."""
        return RejectsFile(self.shards.path, self.index, self.target, self.part)

    @cached_property
    def about(self) -> dict[str, Any]:
        """What a search needs to know, as the encoder and where the files are, and what the index is made of."""
        names = ("encoder", "name", "fingerprint", "vocabulary", "vector_weight", "root", "source", "captions")
        about = {name: value for name, value in asdict(self.shards.job).items() if name in names}
        return about | {
            "generation": self.shards.ledger.generation,
            "made": made_of(self.options),
            "mean_vector": mean_vector(self.shards),
        }

    def body(self) -> dict[str, Any]:
        """The body of the request that makes the target."""
        vocabulary = self.shards.vocabulary
        return index_body(
            dim=self.shards.job.dim,
            terms=vocabulary.terms,
            forms=vocabulary.forms,
            engine=self.options.engine,
            shards=self.options.shard_count,
            metadata=self.documents.metadata.properties,
            about={"lexel": self.about},
            near={word: _weighted(term, weight) for word, (term, weight) in self.shards.near_words.all_asked().items()},
        )

    def are_few(self, rejected: Sequence[Rejected]) -> bool:
        """Whether the index is better with these left out than not at all: a few whose content is at fault."""
        expected = len(self.states)
        few = len(rejected) <= max(1, expected * _LEFT_OUT) and len(rejected) < max(1, expected)
        return few and all(one.of_content for one in rejected)

    def refusal(self, rejected: Sequence[Rejected], files: Sequence[Path]) -> str:
        """Why an index is not made, or changed, as it should be."""
        return (
            f"OpenSearch rejected {len(rejected)} of {len(self.states)} documents ({rejected[0].reason}); they are in "
            f"{' and '.join(map(str, files))}, and {self.index} still shows what it held before."
        )


def _weighted(term: str, weight: float) -> str:
    """A term with its weight as the field `words` holds it."""
    return f"{term}|{frequencies(weight)}"


def load_plan(
    shards: ShardFolder, *, index: str, client: OpenSearch, options: LoadOptions, part: Part = WHOLE
) -> LoadPlan:
    """The plan of loading `shards` to the alias `index`.

    Raises ConfigError if `index` is not a valid name, ClusterError if the alias
    is not lexel's or the cluster cannot do what `options` say.
    """
    keep_freed_memory()  # the next request reuses the memory of the last one
    check_index(index, options, client)
    metadata = metadata_fields(shards.batches(columns=["metadata"], size=4096))
    fields = CollectionFields(shards) if options.collection_fields and shards.rows else None
    documents = ShardDocuments(shards, DocumentStates(shards, fields, metadata, layout=LAYOUT), metadata, fields)
    return LoadPlan(documents, index, f"{index}-{_identity(documents, options)}", options, part)


def made_of(options: LoadOptions) -> list[Any]:
    """What cannot be changed in an index once it is made."""
    return [LAYOUT, options.engine, options.shard_count, options.collection_fields]


def check_index(index: str, options: LoadOptions, client: OpenSearch) -> None:
    """Raise ConfigError if `index` is not a valid name, ClusterError if the cluster cannot make or change it."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.+-]{0,199}", index):
        raise ConfigError(
            f"{index!r} is not a valid index name: use lower-case letters, digits, '-' and '_', "
            "and begin with a letter or digit."
        )
    with readable_errors():
        alias.check_ours(client, index)
        if options.engine == "faiss" and is_embedded(client):
            raise ClusterError(
                "The embedded OpenSearch has no faiss; use --engine lucene, or a full OpenSearch distribution."
            )


def _identity(documents: ShardDocuments, options: LoadOptions) -> str:
    """8 hex digits of a hash of the documents and options, by which an interrupted load finds its index again."""
    made = [*made_of(options), sorted(documents.metadata.untidy), documents.states.digest]
    if near := documents.folder.near_words.all_asked():  # what the analyzer knows cannot be changed later
        made.append(near)
    sizes = [(shard.number, len(documents.states.of(shard))) for shard in documents.folder.shards]
    about = json.dumps([asdict(documents.folder.job), sizes, *made], sort_keys=True)
    return hashlib.blake2b(about.encode(), digest_size=4).hexdigest()
