"""A program that uses every name that `lexel.pipeline` hands on, for a type checker to read; it is never run."""

from pathlib import Path

from opensearchpy import OpenSearch

from lexel.pipeline import (
    Address,
    EncodeOptions,
    Encoder,
    EncoderError,
    EvaluateOptions,
    LexelError,
    LoadOptions,
    PreviewOptions,
    SearchIndex,
    SearchRequest,
    TrainOptions,
    connect,
    encode_source,
    evaluate_encoder,
    explain_item,
    index_source,
    load_model,
    load_shards,
    open_encoder,
    open_index,
    open_source,
    query_dsl,
    search_index,
    train_encoder,
)


def ingest(folder: str, shards: Path) -> str:
    client: OpenSearch = connect(Address("http://127.0.0.1:9200"))
    encoder: Encoder = open_encoder("lexel-tiny")
    options = EncodeOptions(batch_size=64, preview=PreviewOptions(side=128), write_map=True)
    try:
        found = encode_source(open_source(folder), shards, encoder=encoder, options=options)
        loaded = load_shards(shards, index="photos", client=client, options=LoadOptions(merge=True))
        both = index_source(open_source(folder), index="photos", encoder=encoder, client=client)
    except (LexelError, EncoderError) as error:
        return str(error)
    return f"{found.encoded + found.failed} {loaded.documents} {both.loaded.index}"


def ask(client: OpenSearch) -> list[str]:
    index = SearchIndex(client, "photos")
    request = SearchRequest("two dogs^2 +snow -cat", mode="terms", k=5)
    results = search_index(index, request)
    why = explain_item(index, results.hits[0].id, request)
    parts: list[float] = [part.share for part in why.parts]
    again = open_index("photos").search("a dog", k=3, filters=["place=beach"])
    vector = load_model(open_encoder()).text_vectors(["a dog"])[0]
    body = query_dsl.hybrid({"dog": 1.0}, vector=vector.tolist(), weight=50.0, k=3)
    return [hit.uri for hit in again] + [f"{sum(parts):.2f}", str(body["size"])]


def learn(captions: str, out: Path, client: OpenSearch) -> float:
    trained = train_encoder(open_source(captions), out, options=TrainOptions(epochs=3, seed=1))
    options = EvaluateOptions(split="val", modes=["terms"])
    report = evaluate_encoder(captions, encoder=trained.encoder, client=client, options=options)
    return report.directions["text_to_image"].modes["terms"].means["R@10"]
