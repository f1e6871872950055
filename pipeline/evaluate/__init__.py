"""How well an encoder finds things, on the live cluster: what is judged, asked, measured and compared.

Read in the order data flows: `items` and `collection` (encoded once and kept), `directions` (questions and their right
answers), `places` (temporary indices), `asking` (the node ranks), `metrics` and `resampling`, `report`, `trec`,
`compare`, `curve`; `job` puts them together. `tune` sets an encoder's weights from the same collections, in memory.
"""
