"""The `_id` of a document: its item's id, or a short form of one that is longer than OpenSearch takes."""

import hashlib

# OpenSearch's own limit, in bytes.
_MOST = 512
_KEPT = 440


def document_id(id_: str) -> str:
    """`id_`, or its beginning and a hash of it. Of what this returns it returns the same."""
    content = id_.encode()
    if len(content) <= _MOST:
        return id_
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return f"{content[:_KEPT].decode(errors='ignore')}~{digest}"
