"""Parquet as other programs write it: times of nanoseconds, years of five digits, pictures in the table itself."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from support.listing import listed


def test_times_that_python_has_not(tmp_path: Path) -> None:
    table = pa.table(
        {
            "image": ["a.jpg", "b.jpg", "c.jpg"],
            "at": pa.array([1700000000000000001, 1700000000500000000, None], pa.timestamp("ns")),
            "until": pa.array([253402300800 * 1000, None, 1000], pa.timestamp("ms")),
            "day": pa.array([2932897, 1, None], pa.date32()),  # the first is the 1st of January 10000
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    assert [dict(item.metadata) for item in listed(tmp_path / "m.parquet")] == [
        {"at": "2023-11-14T22:13:20.000000001"},
        {
            "at": "2023-11-14T22:13:20.500000",
            "day": "1970-01-02",
        },
        {"until": "1970-01-01T00:00:01"},
    ]


def test_pictures_in_the_table_are_one_item_a_row(tmp_path: Path) -> None:
    rows = [{"image": {"bytes": bytes([i]) * 9, "path": "image.png"}, "text": f"t{i}", "label": i} for i in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "d.parquet")
    found = listed(tmp_path / "d.parquet")
    assert [(i.uri, i.content(), i.captions, i.label) for i in found] == [
        (f"d.parquet/{k + 1}/image.png", bytes([k]) * 9, (f"t{k}",), str(k)) for k in range(3)
    ]
    assert found == listed(tmp_path / "d.parquet")


def test_a_column_of_bytes_and_pictures_that_are_only_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"one", b"two"]}), tmp_path / "b.parquet")
    assert [(i.uri, i.content()) for i in listed(tmp_path / "b.parquet")] == [
        ("b.parquet/1", b"one"),
        ("b.parquet/2", b"two"),
    ]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({"image": pa.array([{"bytes": None, "path": "x.jpg"}], kind)}), tmp_path / "n.parquet")
    assert [i.uri for i in listed(tmp_path / "n.parquet")] == ["x.jpg"]
